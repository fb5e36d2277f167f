import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A fault of a rig server, in place of a correct answer. */
export type Fault =
    /** Answers correctly, but late. */
    | { readonly kind: 'slow'; readonly ms: number }
    /** Never answers. */
    | { readonly kind: 'hang' }
    /** Resets the connection at once. */
    | { readonly kind: 'reset' }
    | {
          readonly kind: 'status';
          readonly status: number;
          readonly headers?: Readonly<Record<string, string>>;
          readonly body?: string;
      }
    | { readonly kind: 'not-json' }
    /** Announces more than it sends, then breaks the connection. */
    | { readonly kind: 'half' }
    | { readonly kind: 'wrong-types' }
    | { readonly kind: 'huge'; readonly bytes: number }
    /** Known only to servers that run programs: their own machinery failed; a time-out without output. */
    | { readonly kind: 'sandbox-error' }
    | { readonly kind: 'blocked' }
    /** SandboxFusion only: the run is reported to have ended this way. */
    | { readonly kind: 'run'; readonly result: RunEnding };

/** What to report of a run that was not made; the rest is as for one that ended normally. */
export interface RunEnding {
    readonly return_code?: number;
    readonly stdout?: string;
    readonly stderr?: string;
}

export interface RigRequest {
    readonly method: string;
    readonly path: string;
    readonly headers: IncomingMessage['headers'];
    readonly body: Buffer;
    /** Aborted when the client goes away. */
    readonly gone: AbortSignal;
    /** Set for faults that only the server's own code can simulate. */
    readonly fault: Fault | null;
}

export interface RigAnswer {
    readonly status: number;
    readonly json: unknown;
    /** Sent unchanged, in place of `json`. */
    readonly raw?: Buffer;
}

/** A server on loopback that answers through `handle`, or misbehaves as `misbehave` decides. */
export abstract class RigServer {
    /** Decides what goes wrong with a request; null for nothing. May be changed at any time. */
    misbehave: (request: Omit<RigRequest, 'fault'>) => Fault | null = () => null;
    /** Paths of the requests received. */
    readonly seen: string[] = [];
    inFlight = 0;
    mostInFlight = 0;
    /** Requests whose client went away before the answer. */
    abandoned = 0;
    private server: Server | null = null;
    private port = 0;

    protected abstract handle(request: RigRequest): Promise<RigAnswer>;

    get url(): string {
        return `http://127.0.0.1:${this.port}`;
    }

    /** Starts listening; after a `stop`, on the same port again. */
    async start(): Promise<this> {
        const server = createServer((request, response) => void this.serve(request, response));
        this.server = server;
        await new Promise<void>((resolve, reject) => {
            server.once('error', reject);
            server.listen(this.port, '127.0.0.1', resolve);
        });
        this.port = (server.address() as AddressInfo).port;
        return this;
    }

    /** Closes all connections and stops listening. */
    async stop(): Promise<void> {
        const { server } = this;
        this.server = null;
        if (server === null) return;
        const closed = new Promise((resolve) => server.close(resolve));
        server.closeAllConnections();
        await closed;
    }

    private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
        this.inFlight += 1;
        this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
        const gone = new AbortController();
        response.once('close', () => {
            this.inFlight -= 1;
            if (response.writableFinished) return;
            this.abandoned += 1;
            gone.abort();
        });
        try {
            const body = await readBody(request);
            const path = new URL(request.url ?? '/', 'http://rig').pathname;
            this.seen.push(path);
            const known = {
                method: request.method ?? '',
                path,
                headers: request.headers,
                body,
                gone: gone.signal,
            };
            const fault = this.misbehave(known);
            if (fault !== null && (await this.playFault(fault, request, response))) return;
            const answer = await this.handle({ ...known, fault });
            send(response, answer.status, answer.raw ?? JSON.stringify(answer.json));
        } catch (error) {
            if (!response.headersSent) send(response, 500, JSON.stringify({ detail: String(error) }));
        }
    }

    /** @returns whether the request needs no further handling */
    private async playFault(
        fault: Fault,
        request: IncomingMessage,
        response: ServerResponse,
    ): Promise<boolean> {
        switch (fault.kind) {
            case 'slow':
                await new Promise((resolve) => setTimeout(resolve, fault.ms));
                return false;
            case 'hang':
                return true;
            case 'reset':
                request.socket.resetAndDestroy();
                return true;
            case 'status':
                send(
                    response,
                    fault.status,
                    fault.body ?? JSON.stringify({ detail: 'told to fail' }),
                    fault.headers,
                );
                return true;
            case 'not-json':
                send(response, 200, '<html>Bad gateway, but 200</html>');
                return true;
            case 'half':
                response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
                response.write('{"status": "Succ', () => request.socket.destroy());
                return true;
            case 'wrong-types':
                send(
                    response,
                    200,
                    JSON.stringify({ status: 7, run_result: 'yes', accepted: 'no', tests: {} }),
                );
                return true;
            case 'huge':
                response.writeHead(200, { 'content-type': 'application/json' });
                writeHuge(response, fault.bytes);
                return true;
            case 'sandbox-error':
            case 'blocked':
            case 'run':
                return false;
        }
    }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
}

function send(
    response: ServerResponse,
    status: number,
    body: string | Buffer,
    headers: Readonly<Record<string, string>> = {},
): void {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body);
}

function writeHuge(response: ServerResponse, bytes: number): void {
    const chunk = Buffer.alloc(1024 * 1024, 0x61);
    let left = bytes;
    const more = () => {
        while (left > 0 && !response.destroyed) {
            left -= chunk.length;
            if (!response.write(chunk)) return void response.once('drain', more);
        }
        response.end();
    };
    more();
}

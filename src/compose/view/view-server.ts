import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { PageAssets } from '../../report/html/html-file.js';
import { UserError } from '../../util/user-error.js';
import { asTyped } from '../output.js';
import { type AccessRules, decideAccess, TOKEN_COOKIE } from './access.js';
import type { ViewedRun } from './viewed-run.js';

/** Maximum number of concurrent event streams: a browser opens one for each tab. */
const MAX_STREAMS = 32;
const EVENT_MS = 1000;

const HEADERS = {
    'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; " +
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': 'no-store',
} as const;

const SHELL = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="page-source" content="server">
<title>resume-run</title>
<link rel="stylesheet" href="page.css">
</head>
<body>
<div id="page"></div>
<script src="page.js"></script>
</body>
</html>
`;

interface Answer {
    readonly status: number;
    readonly type: string;
    readonly body: string | Buffer;
    /** Whether the body is already compressed with gzip, for the browser to decompress. */
    readonly isGzip?: true;
}

/** Shows runs in browsers. Only reads files; never changes them or communicates with a run. */
export class ViewServer {
    readonly #runs: readonly ViewedRun[];
    readonly #assets: PageAssets;
    readonly #streams = new Set<ServerResponse>();
    readonly #server: Server;
    #rules: AccessRules = { hosts: new Set(), token: null };
    #timer: NodeJS.Timeout | null = null;
    /** The last data sent, by run. */
    readonly #sent = new Map<number, string>();

    constructor(runs: readonly ViewedRun[], assets: PageAssets) {
        this.#runs = runs;
        this.#assets = assets;
        this.#server = createServer((request, response) => {
            this.#answer(request, response).catch((error: unknown) => {
                if (!response.headersSent) response.writeHead(500, HEADERS);
                response.end(String(error));
            });
        });
    }

    /**
     * @param token null: only for a loopback host
     * @returns the port
     * @throws UserError (exit 2) if the port is not available
     */
    async listen(host: string, port: number, token: string | null): Promise<number> {
        await new Promise<void>((resolve, reject) => {
            this.#server.once('error', (error) =>
                reject(
                    new UserError(
                        `cannot listen on ${host} port ${port}: ${error.message}; choose another with --port`,
                    ),
                ),
            );
            this.#server.listen(port, host, resolve);
        });
        const address = this.#server.address();
        const bound = typeof address === 'object' && address !== null ? address.port : port;
        const names = token === null ? ['127.0.0.1', 'localhost', '[::1]'] : [host, 'localhost', '127.0.0.1'];
        this.#rules = { hosts: new Set(names.map((name) => `${name.toLowerCase()}:${bound}`)), token };
        return bound;
    }

    async close(): Promise<void> {
        if (this.#timer !== null) clearTimeout(this.#timer);
        for (const stream of this.#streams) stream.end();
        this.#server.closeAllConnections();
        await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    }

    async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const url = new URL(request.url ?? '/', 'http://view');
        const decision = decideAccess(request, url, this.#rules);
        switch (decision.kind) {
            case 'refused':
                return send(request, response, {
                    status: decision.status,
                    type: 'text/plain',
                    body: `${decision.why}\n`,
                });
            case 'greeted': {
                const cookie = `${TOKEN_COOKIE}=${this.#rules.token ?? ''}; HttpOnly; SameSite=Strict; Path=/`;
                response.writeHead(303, { ...HEADERS, 'set-cookie': cookie, location: '/' });
                response.end();
                return undefined;
            }
            case 'allowed':
                if (url.pathname === '/api/events') return this.#stream(response);
                return send(request, response, await this.#find(url));
        }
    }

    async #find(url: URL): Promise<Answer> {
        switch (url.pathname) {
            case '/':
                return { status: 200, type: 'text/html; charset=utf-8', body: SHELL };
            case '/page.js':
                return { status: 200, type: 'text/javascript; charset=utf-8', body: this.#assets.script };
            case '/page.css':
                return { status: 200, type: 'text/css; charset=utf-8', body: this.#assets.style };
            case '/favicon.ico':
                return { status: 204, type: 'image/x-icon', body: '' };
            case '/api/runs':
                return answerJson(this.#runs.map(({ place }) => asTyped(place.dir)));
        }
        const [, number, what] = /^\/api\/runs\/(\d{1,4})\/(page|task|live)$/.exec(url.pathname) ?? [];
        const run = number === undefined ? undefined : this.#runs[Number(number)];
        if (run === undefined) return { status: 404, type: 'text/plain', body: 'there is nothing here\n' };
        try {
            if (what === 'live') return answerJson(await run.live());
            if (what === 'task') return answerJson(await readTask(run, url.searchParams));
            return { status: 200, type: 'application/octet-stream', body: await run.page(), isGzip: true };
        } catch (error) {
            if (!(error instanceof UserError)) throw error;
            return { status: 404, type: 'text/plain; charset=utf-8', body: error.message };
        }
    }

    #stream(response: ServerResponse): void {
        if (this.#streams.size >= MAX_STREAMS) {
            response.writeHead(503, HEADERS).end();
            return;
        }
        response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' });
        response.write('retry: 2000\n\n');
        this.#streams.add(response);
        this.#sent.clear();
        response.once('close', () => this.#streams.delete(response));
        this.#timer ??= setTimeout(() => void this.#push(), 0);
    }

    /** Sends the published states of runs when they have changed, as long as there are listeners. */
    async #push(): Promise<void> {
        for (const [number, run] of this.#runs.entries()) {
            const data = JSON.stringify({ run: number, live: await run.live() });
            if (this.#sent.get(number) === data) continue;
            this.#sent.set(number, data);
            for (const stream of this.#streams) stream.write(`data: ${data}\n\n`);
        }
        this.#timer = this.#streams.size === 0 ? null : setTimeout(() => void this.#push(), EVENT_MS);
    }
}

function readTask(run: ViewedRun, query: URLSearchParams): Promise<object | null> {
    const index = Number(query.get('index'));
    if (!Number.isSafeInteger(index) || index < 0) throw new UserError('expected an index from 0');
    return run.detail(query.get('sample') ?? '', query.get('group') ?? '', index);
}

const answerJson = (value: unknown): Answer => ({
    status: 200,
    type: 'application/json; charset=utf-8',
    body: JSON.stringify(value),
});

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
    const accepts = /\bgzip\b/.test(String(request.headers['accept-encoding']));
    const isPacked = answer.isGzip !== true && accepts && answer.body.length > 1024;
    const body = isPacked ? gzipSync(answer.body) : answer.body;
    response.writeHead(answer.status, {
        ...HEADERS,
        'content-type': answer.type,
        ...(isPacked ? { 'content-encoding': 'gzip' } : {}),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
}

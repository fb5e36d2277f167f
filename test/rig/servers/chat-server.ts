import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What the server does with one request instead of answering it well. */
export type ChatFault =
    | {
          readonly kind: 'status';
          readonly status: number;
          readonly error?: unknown;
          readonly headers?: Record<string, string>;
      }
    /** Closes the connection: before any byte, or in the middle of the body. */
    | { readonly kind: 'reset'; readonly inBody: boolean }
    /** Never answers. */
    | { readonly kind: 'silence' }
    /** Status 200 with this text. */
    | { readonly kind: 'body'; readonly text: string }
    | { readonly kind: 'message'; readonly message: Record<string, unknown>; readonly finishReason: string };

export interface ChatRequest {
    readonly prompt: string;
    readonly body: Record<string, unknown>;
    readonly headers: IncomingMessage['headers'];
}

/** A chat completions service on loopback: answers with the prompt in capitals, and counts every request it gets. */
export class ChatServer {
    readonly requests: ChatRequest[] = [];
    /** The fault for a request; null: a good answer. @param seen how often its prompt has come, from 1 */
    fault: (request: ChatRequest, seen: number) => ChatFault | null = () => null;
    /** Milliseconds before each answer. */
    latency = 0;
    inFlight = 0;
    mostInFlight = 0;
    readonly #server: Server;
    readonly #sockets = new Set<Socket>();

    constructor() {
        this.#server = createServer((request, response) => void this.#serve(request, response));
        this.#server.on('connection', (socket) => {
            this.#sockets.add(socket);
            socket.on('close', () => this.#sockets.delete(socket));
        });
    }

    get url(): string {
        return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
    }

    start(): Promise<void> {
        return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    }

    async stop(): Promise<void> {
        for (const socket of this.#sockets) socket.destroy();
        await new Promise((resolve) => this.#server.close(resolve));
    }

    /** How often each prompt came. */
    counts(): ReadonlyMap<string, number> {
        const counts = new Map<string, number>();
        for (const { prompt } of this.requests) counts.set(prompt, (counts.get(prompt) ?? 0) + 1);
        return counts;
    }

    async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
        if (request.url === '/v1/models') return void response.end('{"data":[]}');
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const body = JSON.parse(Buffer.concat(chunks).toString()) as { messages: { content: string }[] };
        const prompt = body.messages.at(-1)?.content ?? '';
        const asked = { prompt, body: body as unknown as Record<string, unknown>, headers: request.headers };
        this.requests.push(asked);
        this.inFlight += 1;
        this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
        if (this.latency > 0) await new Promise((resolve) => setTimeout(resolve, this.latency));
        this.inFlight -= 1;
        this.#answer(this.fault(asked, this.counts().get(prompt) ?? 0), asked, response);
    }

    #answer(fault: ChatFault | null, { prompt }: ChatRequest, response: ServerResponse): void {
        response.setHeader('content-type', 'application/json');
        switch (fault?.kind) {
            case undefined:
                response.end(completion({ content: prompt.toUpperCase() }, 'stop', prompt));
                return;
            case 'status':
                response
                    .writeHead(fault.status, fault.headers)
                    .end(JSON.stringify({ error: fault.error ?? {} }));
                return;
            case 'reset':
                if (fault.inBody) response.write('{"choices": [');
                setTimeout(() => response.socket?.destroy(), 20);
                return;
            case 'silence':
                return;
            case 'body':
                response.end(fault.text);
                return;
            case 'message':
                response.end(completion(fault.message, fault.finishReason, prompt));
        }
    }
}

export function completion(message: Record<string, unknown>, finishReason: string, prompt: string): string {
    return JSON.stringify({
        id: 'chatcmpl-1',
        object: 'chat.completion',
        model: 'rig-model-2026-11-01',
        choices: [{ index: 0, finish_reason: finishReason, message: { role: 'assistant', ...message } }],
        usage: {
            prompt_tokens: prompt.length,
            completion_tokens: 7,
            prompt_tokens_details: { cached_tokens: 2 },
            completion_tokens_details: { reasoning_tokens: 3 },
        },
    });
}

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { isJsonObject, type Json, type JsonObject } from '../model/json.js';

/** Anything other than a good answer. */
export type ChatFault =
    | {
          readonly kind: 'status';
          readonly status: number;
          readonly error?: unknown;
          readonly headers?: Record<string, string>;
      }
    /** Closes the connection, either before any byte or in the middle of the body. */
    | { readonly kind: 'reset'; readonly inBody: boolean }
    /** Never answers; with `afterStart`, starts an answer and then stops. */
    | { readonly kind: 'silence'; readonly afterStart?: boolean }
    /** Status 200 with this text. */
    | { readonly kind: 'body'; readonly text: string }
    /** A completion with this message. */
    | { readonly kind: 'message'; readonly message: Record<string, unknown>; readonly finishReason: string };

export interface ChatRequest {
    /** `search`: a web search, whose query is the prompt. */
    readonly call: 'completion' | 'search';
    /** The last message. */
    readonly prompt: string;
    readonly body: Record<string, unknown>;
    readonly headers: IncomingMessage['headers'];
    /** Path and query. */
    readonly url: string;
}

/** How the server responds to a request. */
export interface ChatReply {
    /** Milliseconds before the answer, or a promise to wait for. */
    readonly latency: number | Promise<void>;
    /** Null: a good answer. */
    readonly fault: ChatFault | null;
    /** The answer's text. */
    readonly text: string;
}

/** Most bytes of a request that are read. */
const MAX_REQUEST = 16 * 1024 * 1024;

/**
 * A chat completions service on the loopback interface, including the web search of Zhipu BigModel, for demonstrations,
 * benchmarks and tests. It speaks real HTTP, needs no key, and answers without a model.
 */
export class LocalChatServer {
    /** Requests received, except those for the list of models. */
    received = 0;
    inFlight = 0;
    mostInFlight = 0;
    readonly #reply: (request: ChatRequest) => ChatReply;
    readonly #server = createServer((request, response) => void this.#serve(request, response));
    readonly #sockets = new Set<Socket>();

    constructor(reply: (request: ChatRequest) => ChatReply) {
        this.#reply = reply;
        this.#server.on('connection', (socket) => {
            this.#sockets.add(socket);
            socket.on('close', () => this.#sockets.delete(socket));
        });
    }

    /** The base URL. */
    get url(): string {
        return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
    }

    start(): Promise<void> {
        return new Promise((resolve, reject) => {
            this.#server.once('error', reject);
            this.#server.listen(0, '127.0.0.1', () => {
                this.#server.off('error', reject);
                resolve();
            });
        });
    }

    async stop(): Promise<void> {
        for (const socket of this.#sockets) socket.destroy();
        await new Promise((resolve) => this.#server.close(resolve));
    }

    async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
        response.setHeader('content-type', 'application/json');
        const { url = '' } = request;
        const path = url.replace(/\?.*$/, '');
        if (path.endsWith('/models')) return void response.end('{"data":[]}');
        const body = await readBody(request).catch(() => null);
        if (body === null) {
            sendError(response, 400, { message: 'the body is not a JSON object' });
            return;
        }
        const call = path.endsWith('/web_search') ? 'search' : 'completion';
        const asked = { call, prompt: readPrompt(body), body, headers: request.headers, url } as const;
        this.received += 1;
        this.inFlight += 1;
        this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
        const { latency, fault, text } = this.#reply(asked);
        if (typeof latency !== 'number') await latency;
        else if (latency > 0) await new Promise((resolve) => setTimeout(resolve, latency));
        this.inFlight -= 1;
        if (fault === null && call === 'completion' && body['stream'] === true)
            streamCompletion(response, text, asked.prompt);
        else if (fault === null)
            response.end(
                call === 'search'
                    ? searchResult(text)
                    : buildCompletion({ content: text }, 'stop', asked.prompt),
            );
        else sendFault(response, fault, asked.prompt);
    }
}

async function readBody(request: IncomingMessage): Promise<JsonObject> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of request) {
        size += (chunk as Buffer).length;
        if (size > MAX_REQUEST) throw new Error('the request is too large');
        chunks.push(chunk as Buffer);
    }
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
    if (!isJsonObject(body)) throw new Error('not an object');
    return body;
}

function readPrompt(body: JsonObject): string {
    const { messages, search_query: query } = body;
    if (typeof query === 'string') return query;
    const last: Json | undefined = Array.isArray(messages) ? (messages as readonly Json[]).at(-1) : undefined;
    const content = isJsonObject(last) ? last['content'] : '';
    return typeof content === 'string' ? content : '';
}

function sendFault(response: ServerResponse, fault: ChatFault, prompt: string): void {
    switch (fault.kind) {
        case 'status':
            sendError(response, fault.status, fault.error ?? {}, fault.headers);
            return;
        case 'reset':
            if (fault.inBody) response.write('{"choices": [');
            setTimeout(() => response.socket?.destroy(), 20);
            return;
        case 'silence':
            if (fault.afterStart === true) response.write('\n');
            return;
        case 'body':
            response.end(fault.text);
            return;
        case 'message':
            response.end(buildCompletion(fault.message, fault.finishReason, prompt));
    }
}

function sendError(
    response: ServerResponse,
    status: number,
    error: unknown,
    headers?: Record<string, string>,
): void {
    response.writeHead(status, headers).end(JSON.stringify({ error }));
}

/** A completion in the format of chat services. */
export function buildCompletion(
    message: Record<string, unknown>,
    finishReason: string,
    prompt: string,
): string {
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

/** Sends a completion as a stream of events: the text in two pieces, then the finish reason, then the usage. */
function streamCompletion(response: ServerResponse, text: string, prompt: string): void {
    const whole = JSON.parse(buildCompletion({ content: text }, 'stop', prompt)) as Record<string, unknown>;
    const { choices: _, usage, ...head } = whole;
    const half = Math.ceil(text.length / 2);
    const deltas = [
        { role: 'assistant', content: '' },
        { content: text.slice(0, half) },
        { content: text.slice(half) },
    ];
    const chunks = [
        ...deltas.map((delta) => ({ ...head, choices: [{ index: 0, delta, finish_reason: null }] })),
        { ...head, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
        { ...head, choices: [], usage },
    ];
    response.setHeader('content-type', 'text/event-stream');
    for (const chunk of chunks) response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    response.end('data: [DONE]\n\n');
}

/** Search results in BigModel's format. */
function searchResult(text: string): string {
    const results = [1, 2].map((n) => ({
        title: `Result ${n} about ${text}`,
        link: `http://127.0.0.1/pages/${n}`,
        content: `What page ${n} says about ${text}.`,
    }));
    return JSON.stringify({ id: 'search-1', search_result: results });
}

import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type Dispatcher, errors, ProxyAgent } from 'undici';
import { decodeBody } from './decode-body.js';
import { classifyStatus } from './http-status.js';
import type { HttpAnswer, Piece, HttpRequest, Sender, ThreadSettings } from './http-messages.js';
import { chooseProxy, type ProxyChoice } from './proxy.js';
import { rateHeaderWait } from './rate-headers.js';
import { retryAfter } from './retry-after.js';

/** How long an idle connection is kept, in milliseconds: less than the five seconds after which many servers close theirs. */
const KEEP_ALIVE = 4_000;
/** Longest delay of Node's timers, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Most pieces of an answer whose times are kept: the first ones tell when it began. */
const MAX_PIECES = 256;
/** Most bytes of an error's body that are read. */
const ERROR_BODY = 65_536;

/** Makes requests over persistent connections, in the current thread. */
export class HttpAgent implements Sender {
    readonly #agent: Agent;
    readonly #connectTimeout: number;
    readonly #usesProxy: boolean;
    /** Route to each origin, determined once. */
    readonly #routes = new Map<string, Dispatcher | { readonly problem: string }>();
    /** By address and whether they carry encrypted traffic. */
    readonly #proxies = new Map<string, ProxyAgent>();

    constructor({ connectTimeout, usesProxy }: ThreadSettings) {
        this.#connectTimeout = connectTimeout;
        this.#usesProxy = usesProxy;
        this.#agent = new Agent({ ...CONNECTIONS, connect: { timeout: connectTimeout } });
    }

    begin(request: HttpRequest, answer: (answer: HttpAnswer) => void): () => void {
        const exchange = new Exchange(request, this.#connectTimeout, answer);
        const { origin, path, method, headers, body = null } = request;
        const route = this.#findRoute(origin);
        if ('problem' in route) exchange.fail(route.problem);
        else route.dispatch({ origin, path, method, headers, body }, exchange);
        return exchange.stop;
    }

    #findRoute(origin: string): Dispatcher | { readonly problem: string } {
        const known = this.#routes.get(origin);
        if (known !== undefined) return known;
        const choice: ProxyChoice = this.#usesProxy ? chooseProxy(origin) : { url: null };
        const route =
            'problem' in choice
                ? choice
                : choice.url === null
                  ? this.#agent
                  : this.#openProxy(choice.url, origin.startsWith('https:'));
        this.#routes.set(origin, route);
        return route;
    }

    /** @param proxyTunnel false for unencrypted requests, for which proxies often refuse to open a tunnel */
    #openProxy(uri: string, proxyTunnel: boolean): ProxyAgent {
        const key = `${proxyTunnel} ${uri}`;
        const known = this.#proxies.get(key);
        if (known !== undefined) return known;
        const proxyTls = { timeout: this.#connectTimeout };
        const proxy = new ProxyAgent({ ...CONNECTIONS, uri, proxyTunnel, proxyTls });
        this.#proxies.set(key, proxy);
        return proxy;
    }

    /** Closes all connections, including those in use. */
    async close(): Promise<void> {
        await Promise.all([this.#agent, ...this.#proxies.values()].map((one) => one.destroy()));
    }
}

const CONNECTIONS = {
    keepAliveTimeout: KEEP_ALIVE,
    keepAliveMaxTimeout: KEEP_ALIVE,
    pipelining: 1,
    // Only our own timeouts apply: a judge may be silent for longer than the default of five minutes.
    headersTimeout: 0,
    bodyTimeout: 0,
} as const;

const NO_ANSWER = { kind: 'failure', outcome: 'broken', status: null, body: null, wait: null } as const;

/**
 * One request and its answer, driven by the dispatcher's callbacks. The library's richer calls create a stream and an abort
 * controller for each answer, which costs more than a small request itself.
 */
class Exchange implements Dispatcher.DispatchHandler {
    isOver = false;
    private readonly started = performance.now();
    private readonly timer: NodeJS.Timeout;
    /** Runs until the answer begins, then between two pieces of it. */
    private silence: NodeJS.Timeout | undefined;
    private readonly pieces: Piece[] = [];
    readonly stop = (): void => this.giveUp({ kind: 'aborted' });
    private controller: Dispatcher.DispatchController | null = null;
    private status = 0;
    private headers: IncomingHttpHeaders = {};
    private readonly chunks: Buffer[] = [];
    private size = 0;

    constructor(
        private readonly request: HttpRequest,
        private readonly connectTimeout: number,
        private readonly answer: (answer: HttpAnswer) => void,
    ) {
        const { timeout } = request;
        const late = `no answer within ${inSeconds(timeout)}`;
        this.timer = setTimeout(() => this.refuse(late), Math.min(timeout, MAX_TIMER_MS));
        const { firstByteTimeout } = request;
        if (firstByteTimeout !== undefined)
            this.watchSilence(firstByteTimeout, `no answer within ${inSeconds(firstByteTimeout)}`);
    }

    onRequestStart(controller: Dispatcher.DispatchController): void {
        this.controller = controller;
        // It was given up while waiting for a connection.
        if (this.isOver) this.cutOff();
    }

    onResponseStart(
        _controller: Dispatcher.DispatchController,
        status: number,
        headers: IncomingHttpHeaders,
    ): void {
        this.status = status;
        this.headers = headers;
        this.expectMore();
        const announced = Number(headers['content-length'] ?? 0);
        if (classifyStatus(status) === null && announced > this.request.maxAnswer) this.refuseLarge();
    }

    onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
        if (this.isOver) return;
        this.expectMore();
        if (this.pieces.length < MAX_PIECES) this.pieces.push({ offset: this.size, at: this.took });
        const isError = classifyStatus(this.status) !== null;
        this.size += chunk.length;
        if (this.size <= (isError ? ERROR_BODY : this.request.maxAnswer)) this.chunks.push(chunk);
        else if (!isError) this.refuseLarge();
        else {
            this.chunks.push(chunk.subarray(0, chunk.length - (this.size - ERROR_BODY)));
            this.onResponseEnd();
            this.cutOff();
        }
    }

    onResponseEnd(): void {
        const { status, chunks, headers } = this;
        const raw = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
        const outcome = classifyStatus(status);
        const most = outcome === null ? this.request.maxAnswer : ERROR_BODY;
        const decoded = decodeBody(raw, headers['content-encoding'], most);
        if (outcome === null && 'problem' in decoded)
            return decoded.problem === 'too-large' ? this.refuseLarge() : this.refuse(decoded.message);
        // The status decides how an error counts, even if its body cannot be decoded.
        const body = 'problem' in decoded ? Buffer.alloc(0) : decoded.body;
        const { took } = this;
        // Offsets of pieces refer to the received bytes and do not apply to a decompressed body.
        const pieces = body === raw ? this.pieces : [];
        const hold = rateHeaderWait(headers);
        if (outcome === null) return this.end({ kind: 'answer', status, body, took, hold, pieces });
        const message = `HTTP ${status}${describeRedirect(status, headers.location)}${quote(body)}`;
        const wait = retryAfter(headers, Date.now()) ?? (outcome === 'rate' ? hold : null);
        this.end({ kind: 'failure', outcome, status, message, body, wait, took });
    }

    onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
        this.fail(describeReason(error, this.connectTimeout));
    }

    /** The request could not be sent. */
    fail(message: string): void {
        this.end({ ...NO_ANSWER, message, took: this.took });
    }

    private get took(): number {
        return performance.now() - this.started;
    }

    /** The answer has begun or continues. */
    private expectMore(): void {
        clearTimeout(this.silence);
        const { idleTimeout } = this.request;
        if (idleTimeout !== undefined && !this.isOver)
            this.watchSilence(idleTimeout, `the answer stalled for ${inSeconds(idleTimeout)}`);
    }

    private watchSilence(ms: number, message: string): void {
        this.silence = setTimeout(() => this.refuse(message), Math.min(ms, MAX_TIMER_MS));
    }

    private refuse(message: string): void {
        this.giveUp({ ...NO_ANSWER, message, took: this.took });
    }

    private refuseLarge(): void {
        this.refuse(`the answer is larger than ${this.request.maxAnswer} bytes`);
    }

    private giveUp(answer: HttpAnswer): void {
        this.end(answer);
        this.cutOff();
    }

    /** Ends the exchange if it is still in progress, together with its connection. */
    private cutOff(): void {
        this.controller?.abort(new AbandonedError());
    }

    /** Only the first call counts. */
    private end(answer: HttpAnswer): void {
        if (this.isOver) return;
        this.isOver = true;
        clearTimeout(this.timer);
        clearTimeout(this.silence);
        this.answer(answer);
    }
}

/** Passed to the library when the answer is no longer wanted. */
class AbandonedError extends Error {}

/** Redirects are not followed, since a server could then send keys to any address. The user may specify the new address. */
function describeRedirect(status: number, location: string | undefined): string {
    if (status < 300 || status >= 400 || location === undefined) return '';
    const shown = (location.split(/[?#]/, 1)[0] ?? '').replace(/\/\/[^/]*@/, '//').slice(0, 200);
    return ` (redirected to ${shown}; redirects are not followed)`;
}

/** The start of an error's body, on one line. */
function quote(body: Buffer): string {
    const text = body.toString('utf8').replace(/\s+/g, ' ').trim();
    if (text === '') return '';
    return `: ${text.length > 300 ? `${text.slice(0, 300)}...` : text}`;
}

const inSeconds = (ms: number): string => `${ms < 1000 ? ms / 1000 : Math.round(ms / 1000)} s`;

function describeReason(error: unknown, connectTimeout: number): string {
    if (error instanceof errors.ConnectTimeoutError)
        return `no connection within ${inSeconds(connectTimeout)}`;
    const cause = error instanceof AggregateError ? error.errors[0] : error;
    if (!(cause instanceof Error)) return String(cause);
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : null;
    if (code === null) return cause.message;
    return KNOWN_REASONS[code] ?? `${cause.message} (${code})`;
}

const KNOWN_REASONS: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connection refused',
    ECONNRESET: 'the connection was lost',
    UND_ERR_SOCKET: 'the connection was lost',
    EPIPE: 'the connection was lost',
    ENOTFOUND: 'the host name cannot be resolved',
    EAI_AGAIN: 'the host name cannot be resolved',
    EHOSTUNREACH: 'the host cannot be reached',
    ENETUNREACH: 'the host cannot be reached',
};

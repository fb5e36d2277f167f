import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type Dispatcher, errors } from 'undici';
import { unreachable } from '../util/unreachable.js';
import type { OutcomeClass } from './outcome-class.js';
import { rateHeaderWait } from './rate-headers.js';
import { retryAfter } from './retry-after.js';

/** Time to make a connection, milliseconds, where nothing else is asked for. */
const CONNECT_TIMEOUT = 10_000;
/** How long an idle connection is kept, milliseconds: below the five seconds after which many servers close theirs. */
const KEEP_ALIVE = 4_000;
/** Longest delay that Node's timers take, milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** Times of pieces that are kept of an answer: the first ones tell when it began. */
const MOST_PIECES = 256;
/** Bytes of an error's body that are read at most. */
const ERROR_BODY = 65_536;

export interface HttpRequest {
    readonly method: 'GET' | 'POST' | 'DELETE';
    /** `http://10.0.0.1:8080` */
    readonly origin: string;
    /** Begins with `/`. */
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string | Buffer;
    /** Milliseconds for the whole exchange, the body included. */
    readonly timeout: number;
    /** Milliseconds until the answer begins; absent: only `timeout` bounds it. */
    readonly firstByteTimeout?: number | undefined;
    /** Milliseconds between two pieces of the answer, once it has begun; absent: only `timeout` bounds it. */
    readonly idleTimeout?: number | undefined;
    /** Bytes of answer that are read at most. */
    readonly maxAnswer: number;
    /** Closes the request. */
    readonly signal: AbortSignal;
}

/** An answer of the server's that is no error, or why there is none. It never holds what we sent: no secret gets into it. */
export type HttpAnswer =
    | {
          readonly kind: 'answer';
          readonly status: number;
          readonly body: Buffer;
          readonly took: number;
          /** Milliseconds in which nothing more may be asked, as the server's rate headers say; null: they do not. */
          readonly hold: number | null;
          /** When each piece of the body came, by the offset of its first byte. Milliseconds since the request. */
          readonly pieces: readonly Piece[];
      }
    | HttpFailure
    | { readonly kind: 'aborted' };

/** A piece of a body as it came. */
export interface Piece {
    readonly offset: number;
    readonly at: number;
}

export interface HttpFailure {
    readonly kind: 'failure';
    readonly outcome: Exclude<OutcomeClass, 'ok' | 'unknown-model' | 'abandoned'>;
    /** HTTP status, if one came. */
    readonly status: number | null;
    readonly message: string;
    /** The error's own words, cut; null without an answer. */
    readonly body: Buffer | null;
    /** Milliseconds that the server asked to wait; null if it did not. */
    readonly wait: number | null;
    /** Milliseconds. */
    readonly took: number;
}

/** Talks to servers over kept connections. Answers are bounded in size and time; it never retries. */
export class HttpClient {
    private readonly agent: Agent;
    private readonly connectTimeout: number;

    /** @param connectTimeout milliseconds to make a connection */
    constructor(connectTimeout = CONNECT_TIMEOUT) {
        this.connectTimeout = connectTimeout;
        this.agent = new Agent({
            connect: { timeout: connectTimeout },
            keepAliveTimeout: KEEP_ALIVE,
            keepAliveMaxTimeout: KEEP_ALIVE,
            pipelining: 1,
            // Ours alone decide: a judge may be silent for longer than the five minutes that are the default.
            headersTimeout: 0,
            bodyTimeout: 0,
        });
    }

    /** Sends one request. Never rejects. */
    send(request: HttpRequest): Promise<HttpAnswer> {
        return new Promise((resolve) => {
            const exchange = new Exchange(request, this.connectTimeout, resolve);
            const { origin, path, method, headers, body = null } = request;
            if (!exchange.isOver) this.agent.dispatch({ origin, path, method, headers, body }, exchange);
        });
    }

    /** Closes all connections, also those in use. */
    async close(): Promise<void> {
        await this.agent.destroy();
    }
}

const NO_ANSWER = { kind: 'failure', outcome: 'broken', status: null, body: null, wait: null } as const;

/**
 * One request and what comes of it, told by the dispatcher step by step. The richer calls of the library make a stream and an
 * abort controller for every answer, which costs more than a small request itself.
 */
class Exchange implements Dispatcher.DispatchHandler {
    isOver = false;
    private readonly started = performance.now();
    private readonly timer: NodeJS.Timeout;
    /** Until the answer begins, then between two pieces of it. */
    private silence: NodeJS.Timeout | undefined;
    private readonly pieces: Piece[] = [];
    private readonly stop = (): void => this.giveUp({ kind: 'aborted' });
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
        const { timeout, signal } = request;
        const late = `no answer within ${inSeconds(timeout)}`;
        this.timer = setTimeout(() => this.refuse(late), Math.min(timeout, LONGEST_TIMER));
        const { firstByteTimeout } = request;
        if (firstByteTimeout !== undefined)
            this.watchSilence(firstByteTimeout, `nothing of an answer within ${inSeconds(firstByteTimeout)}`);
        if (signal.aborted) this.stop();
        else signal.addEventListener('abort', this.stop, { once: true });
    }

    onRequestStart(controller: Dispatcher.DispatchController): void {
        this.controller = controller;
        // Given up while it waited for its connection.
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
        if (this.pieces.length < MOST_PIECES) this.pieces.push({ offset: this.size, at: this.took });
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
        const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
        const outcome = classifyStatus(status);
        const { took, pieces } = this;
        const hold = rateHeaderWait(headers);
        if (outcome === null) return this.end({ kind: 'answer', status, body, took, hold, pieces });
        const message = `HTTP ${status}${quote(body)}`;
        const wait = retryAfter(headers, Date.now()) ?? (outcome === 'rate' ? hold : null);
        this.end({ kind: 'failure', outcome, status, message, body, wait, took });
    }

    onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
        this.end({ ...NO_ANSWER, message: describeReason(error, this.connectTimeout), took: this.took });
    }

    private get took(): number {
        return performance.now() - this.started;
    }

    /** The answer has begun, or goes on. */
    private expectMore(): void {
        clearTimeout(this.silence);
        const { idleTimeout } = this.request;
        if (idleTimeout !== undefined && !this.isOver)
            this.watchSilence(idleTimeout, `the answer stopped for ${inSeconds(idleTimeout)}`);
    }

    private watchSilence(ms: number, message: string): void {
        this.silence = setTimeout(() => this.refuse(message), Math.min(ms, LONGEST_TIMER));
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

    /** Ends what is still under way, and its connection with it. */
    private cutOff(): void {
        this.controller?.abort(new AbandonedError());
    }

    /** The first end counts. */
    private end(answer: HttpAnswer): void {
        if (this.isOver) return;
        this.isOver = true;
        clearTimeout(this.timer);
        clearTimeout(this.silence);
        this.request.signal.removeEventListener('abort', this.stop);
        this.answer(answer);
    }
}

/** What the library is told when nobody waits any more. */
class AbandonedError extends Error {}

/** What an HTTP status says about the endpoint; null: an answer to be read. */
export function classifyStatus(status: number): HttpFailure['outcome'] | null {
    if (status >= 200 && status < 300) return null;
    switch (status) {
        case 429:
            return 'rate';
        case 401:
        case 403:
        case 404:
        case 405:
            return 'refused';
        case 502:
        case 503:
        case 504:
            return 'overload';
        default:
            return status >= 400 && status < 500 && status !== 408 ? 'bad-request' : 'broken';
    }
}

/** Whether a failure may end otherwise when tried again. */
export function isWorthRetrying(outcome: HttpFailure['outcome']): boolean {
    switch (outcome) {
        case 'rate':
        case 'overload':
        case 'broken':
            return true;
        case 'refused':
        case 'bad-request':
            return false;
        default:
            return unreachable(outcome, 'outcome class');
    }
}

/** The start of an error's body on one line. */
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
    ECONNRESET: 'the connection broke',
    UND_ERR_SOCKET: 'the connection broke',
    EPIPE: 'the connection broke',
    ENOTFOUND: 'the host name cannot be resolved',
    EAI_AGAIN: 'the host name cannot be resolved',
    EHOSTUNREACH: 'the host cannot be reached',
    ENETUNREACH: 'the host cannot be reached',
};

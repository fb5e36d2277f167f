import type { OutcomeClass } from './outcome-class.js';

/** A request as plain data. */
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
}

/** A server's answer that is not an error, or why there is none. It never holds what we sent: no secret gets into it. */
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

/** What makes requests: this thread, or one of its own. */
export interface Sender {
    /**
     * Makes one request.
     * @param answer called once, however it ends
     * @returns gives the request up, if it is still under way
     */
    begin(request: HttpRequest, answer: (answer: HttpAnswer) => void): () => void;
    close(): Promise<void>;
}

/** What the thread of requests is started with. */
export interface ThreadSettings {
    /** Milliseconds. */
    readonly connectTimeout: number;
    /** Whether proxies that the environment names are used. */
    readonly usesProxy: boolean;
}

/** What happened in one turn of the event loop, for the thread of requests. */
export interface ToThread {
    readonly begun: readonly { readonly id: number; readonly request: HttpRequest }[];
    /** Requests that nobody waits for any more. */
    readonly stopped: readonly number[];
}

/** Answers of one turn of the event loop; none: the thread has started. */
export interface FromThread {
    /** Answers without their bodies: `bodies` holds these, one behind the other. */
    readonly answers: readonly FromThreadAnswer[];
    readonly bodies: ArrayBuffer;
}

export type FromThreadAnswer = { readonly id: number } & (
    | { readonly answer: WithoutBody<HttpAnswer>; readonly size: number }
    /** It has no body. */
    | { readonly answer: HttpAnswer; readonly size: null }
);

type WithoutBody<Answer> = Answer extends { readonly body: unknown } ? Omit<Answer, 'body'> : never;

/** Requests or answers that are handed over at once, without waiting for the end of the turn. */
export const MESSAGE_BOUND = 16;

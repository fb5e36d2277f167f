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
    /** Milliseconds for the whole exchange, including the body. */
    readonly timeout: number;
    /** Milliseconds until the answer begins; absent: limited only by `timeout`. */
    readonly firstByteTimeout?: number | undefined;
    /** Milliseconds between two pieces of the answer, once it has begun; absent: limited only by `timeout`. */
    readonly idleTimeout?: number | undefined;
    /** Most bytes of the answer that are read. */
    readonly maxAnswer: number;
}

/**
 * A server's answer that is not an error, or the reason why there is none. It never contains what we sent, so that no secret gets
 * into it.
 */
export type HttpAnswer =
    | {
          readonly kind: 'answer';
          readonly status: number;
          readonly body: Buffer;
          readonly took: number;
          /**
           * Milliseconds during which no more requests are allowed, according to the server's rate headers; null: they do not
           * say.
           */
          readonly hold: number | null;
          /** Arrival time of each piece of the body, by the offset of its first byte, in milliseconds since the request. */
          readonly pieces: readonly Piece[];
      }
    | HttpFailure
    | { readonly kind: 'aborted' };

/** A piece of a body as received. */
export interface Piece {
    readonly offset: number;
    readonly at: number;
}

export interface HttpFailure {
    readonly kind: 'failure';
    readonly outcome: Exclude<OutcomeClass, 'ok' | 'unknown-model' | 'abandoned'>;
    /** HTTP status, if one was received. */
    readonly status: number | null;
    readonly message: string;
    /** The error's body, truncated; null without an answer. */
    readonly body: Buffer | null;
    /** Milliseconds that the server asked to wait; null if it did not. */
    readonly wait: number | null;
    /** Milliseconds. */
    readonly took: number;
}

/** Makes requests, in this thread or in a separate one. */
export interface Sender {
    /**
     * Makes one request.
     * @param answer called exactly once, however the request ends
     * @returns a function that gives the request up if it is still in progress
     */
    begin(request: HttpRequest, answer: (answer: HttpAnswer) => void): () => void;
    close(): Promise<void>;
}

/** Start-up settings of the request thread. */
export interface ThreadSettings {
    /** Milliseconds. */
    readonly connectTimeout: number;
    /** Whether proxies named in environment variables are used. */
    readonly usesProxy: boolean;
}

/** News for the request thread from one turn of the event loop. */
export interface ToThread {
    readonly begun: readonly { readonly id: number; readonly request: HttpRequest }[];
    /** Requests whose answers are no longer wanted. */
    readonly stopped: readonly number[];
}

/** Answers from one turn of the event loop; if empty, the thread has just started. */
export interface FromThread {
    /** Answers without their bodies, which `bodies` holds, concatenated. */
    readonly answers: readonly FromThreadAnswer[];
    readonly bodies: ArrayBuffer;
}

export type FromThreadAnswer = { readonly id: number } & (
    | { readonly answer: WithoutBody<HttpAnswer>; readonly size: number }
    /** It has no body. */
    | { readonly answer: HttpAnswer; readonly size: null }
);

type WithoutBody<Answer> = Answer extends { readonly body: unknown } ? Omit<Answer, 'body'> : never;

/** Number of requests or answers after which they are sent immediately, without waiting for the end of the turn. */
export const MESSAGE_BOUND = 16;

import { availableParallelism } from 'node:os';
import { HttpAgent } from './http-agent.js';
import type { HttpAnswer, HttpRequest, ThreadSettings } from './http-messages.js';
import { HttpThread } from './http-thread.js';

/** Default time for making a connection, in milliseconds. */
const CONNECT_TIMEOUT = 10_000;
/** Number of requests in progress from which further ones use a separate thread. */
const MANY = 48;
/** The compiled entry, relative to this file as well as to the bundle. */
const THREAD_ENTRY = new URL('../endpoint/http-worker.js', import.meta.url);

export interface HttpClientOptions {
    /** Milliseconds for making a connection. */
    readonly connectTimeout?: number | undefined;
    /** Whether proxies named in environment variables are used. */
    readonly usesProxy?: boolean;
    /** Number of requests in progress from which further ones use a separate thread. */
    readonly threadFrom?: number;
    readonly threadEntry?: URL;
}

/**
 * Talks to servers over persistent connections. Answers are bounded in size and time; nothing is retried. If there are many
 * requests at once, they move to a separate thread, because they take as much time as everything else that a run does for a small
 * task.
 */
export class HttpClient {
    readonly #agent: HttpAgent;
    readonly #settings: ThreadSettings;
    readonly #threadFrom: number;
    readonly #threadEntry: URL;
    /** Null until it is needed. */
    #thread: HttpThread | null = null;
    #underWay = 0;

    constructor({
        connectTimeout = CONNECT_TIMEOUT,
        usesProxy = false,
        threadFrom,
        threadEntry,
    }: HttpClientOptions = {}) {
        this.#settings = { connectTimeout, usesProxy };
        this.#threadFrom = threadFrom ?? (availableParallelism() > 1 ? MANY : Number.POSITIVE_INFINITY);
        this.#threadEntry = threadEntry ?? THREAD_ENTRY;
        this.#agent = new HttpAgent(this.#settings);
    }

    /** Announces that about this many requests will be made at once, so that anything slow to start is started now. */
    expect(atOnce: number): void {
        if (atOnce >= this.#threadFrom) this.#startThread();
    }

    /** Sends one request. Never rejects. @param signal gives the request up */
    send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
        if (signal.aborted) return Promise.resolve({ kind: 'aborted' });
        this.#underWay += 1;
        return new Promise((resolve) => {
            const stop = (): void => stopSending();
            const stopSending = this.#begin(request, (answer) => {
                this.#underWay -= 1;
                signal.removeEventListener('abort', stop);
                resolve(answer);
            });
            signal.addEventListener('abort', stop, { once: true });
        });
    }

    #begin(request: HttpRequest, answer: (answer: HttpAnswer) => void): () => void {
        if (this.#underWay >= this.#threadFrom) this.#startThread();
        const sender = this.#thread?.isUsable === true ? this.#thread : this.#agent;
        return sender.begin(request, answer);
    }

    #startThread(): void {
        this.#thread ??= new HttpThread(this.#threadEntry, this.#settings, this.#agent);
    }

    /** Closes all connections, including those in use. */
    async close(): Promise<void> {
        await Promise.all([this.#agent.close(), this.#thread?.close()]);
    }
}

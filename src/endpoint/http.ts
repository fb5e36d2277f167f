import { availableParallelism } from 'node:os';
import { HttpAgent } from './http-agent.js';
import type { HttpAnswer, HttpRequest, ThreadSettings } from './http-messages.js';
import { HttpThread } from './http-thread.js';

/** Time to make a connection, milliseconds, where nothing else is asked for. */
const CONNECT_TIMEOUT = 10_000;
/** Requests under way at once from which on further ones get a thread of their own. */
const MANY = 48;
/** The compiled entry, as this file and as the bundle see it. */
const THREAD_ENTRY = new URL('../endpoint/http-worker.js', import.meta.url);

export interface HttpClientOptions {
    /** Milliseconds to make a connection. */
    readonly connectTimeout?: number | undefined;
    /** Whether proxies that the environment names are used. */
    readonly usesProxy?: boolean;
    /** Requests under way at once from which on further ones get a thread of their own. */
    readonly threadFrom?: number;
    readonly threadEntry?: URL;
}

/**
 * Talks to servers over kept connections. Answers are bounded in size and time; it never retries. Many requests at once get a
 * thread of their own: what they cost is as much as all else that a run does for a small task.
 */
export class HttpClient {
    readonly #agent: HttpAgent;
    readonly #settings: ThreadSettings;
    readonly #threadFrom: number;
    readonly #threadEntry: URL;
    /** Null until it is wanted. */
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

    /** Told that about so many requests will be made at once: what it takes long to start is started now. */
    expect(atOnce: number): void {
        if (atOnce >= this.#threadFrom) this.#startThread();
    }

    /** Sends one request. Never rejects. @param signal gives it up */
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

    /** Closes all connections, also those in use. */
    async close(): Promise<void> {
        await Promise.all([this.#agent.close(), this.#thread?.close()]);
    }
}

import { Worker } from 'node:worker_threads';
import {
    type FromThread,
    type HttpAnswer,
    type HttpRequest,
    MESSAGE_BOUND,
    type Sender,
    type ThreadSettings,
    type ToThread,
} from './http-messages.js';

/** Result of requests in progress when their thread ended. */
const LOST: HttpAnswer = {
    kind: 'failure',
    outcome: 'broken',
    status: null,
    message: 'the thread that made the request ended',
    body: null,
    wait: null,
    took: 0,
};

/** What the thread has not been sent yet. */
interface PendingMessages extends ToThread {
    readonly begun: ToThread['begun'][number][];
    readonly stopped: number[];
}

interface Waiting {
    readonly request: HttpRequest;
    readonly answer: (answer: HttpAnswer) => void;
}

/**
 * Makes requests in a separate thread. Each side sends its news at the end of a turn of its event loop, or earlier if there is a
 * lot. One message per request would cost more than the thread saves. One message for hundreds would keep the other side idle
 * until the last of them is dealt with, so that all requests would move in step and only one side would work at a time.
 */
export class HttpThread implements Sender {
    readonly #worker: Worker;
    readonly #instead: Sender;
    readonly #waiting = new Map<number, Waiting>();
    /** Requests made by the substitute sender, with functions that give them up. */
    readonly #made = new Map<number, () => void>();
    #hasStarted = false;
    #hasEnded = false;
    #nextId = 0;
    #news: PendingMessages | null = null;

    /**
     * @param entry file of the thread
     * @param instead makes the requests if the thread cannot start
     */
    constructor(entry: URL, settings: ThreadSettings, instead: Sender) {
        this.#instead = instead;
        this.#worker = new Worker(entry, { workerData: settings });
        this.#worker.on('message', (message: FromThread) => this.#take(message));
        this.#worker.on('error', () => this.#end());
        this.#worker.on('exit', () => this.#end());
        // The thread keeps the process alive only while requests are in progress.
        this.#worker.unref();
    }

    /** False once the thread has ended: further requests must go elsewhere. */
    get isUsable(): boolean {
        return !this.#hasEnded;
    }

    begin(request: HttpRequest, answer: (answer: HttpAnswer) => void): () => void {
        const id = this.#nextId++;
        if (this.#waiting.size === 0) this.#worker.ref();
        this.#waiting.set(id, { request, answer });
        const news = this.#tell();
        if (news.begun.push({ id, request }) >= MESSAGE_BOUND) this.#post(news);
        return () => {
            this.#made.get(id)?.();
            if (!this.#waiting.has(id)) return;
            this.#tell().stopped.push(id);
            this.#answer(id, { kind: 'aborted' });
        };
    }

    async close(): Promise<void> {
        await this.#worker.terminate();
        this.#end();
    }

    /** The news to be sent to the thread at the end of this turn of the event loop. */
    #tell(): PendingMessages {
        if (this.#news !== null) return this.#news;
        const news: PendingMessages = { begun: [], stopped: [] };
        this.#news = news;
        setImmediate(() => this.#post(news));
        return news;
    }

    #post(news: PendingMessages): void {
        if (this.#news !== news) return;
        this.#news = null;
        this.#worker.postMessage(news);
    }

    #take({ answers, bodies }: FromThread): void {
        this.#hasStarted = true;
        let offset = 0;
        for (const one of answers) {
            if (one.size === null) {
                this.#answer(one.id, one.answer);
                continue;
            }
            this.#answer(one.id, { ...one.answer, body: Buffer.from(bodies, offset, one.size) });
            offset += one.size;
        }
    }

    #answer(id: number, answer: HttpAnswer): void {
        const waiting = this.#waiting.get(id);
        if (waiting === undefined) return;
        this.#waiting.delete(id);
        if (this.#waiting.size === 0) this.#worker.unref();
        waiting.answer(answer);
    }

    /**
     * Reports requests in progress as broken connections. A thread that never started has sent nothing, so its requests are made
     * elsewhere.
     */
    #end(): void {
        if (this.#hasEnded) return;
        this.#hasEnded = true;
        for (const [id, { request, answer }] of this.#waiting) {
            if (this.#hasStarted) this.#answer(id, LOST);
            else this.#makeInstead(id, request, answer);
        }
        this.#waiting.clear();
    }

    #makeInstead(id: number, request: HttpRequest, answer: (answer: HttpAnswer) => void): void {
        let isOver = false;
        const stop = this.#instead.begin(request, (ended) => {
            isOver = true;
            this.#made.delete(id);
            answer(ended);
        });
        if (!isOver) this.#made.set(id, stop);
    }
}

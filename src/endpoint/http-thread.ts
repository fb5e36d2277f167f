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

/** What requests come to that were under way in a thread that ended. */
const LOST: HttpAnswer = {
    kind: 'failure',
    outcome: 'broken',
    status: null,
    message: 'the thread that made the request ended',
    body: null,
    wait: null,
    took: 0,
};

/** What the thread has not been told yet. */
interface News extends ToThread {
    readonly begun: ToThread['begun'][number][];
    readonly stopped: number[];
}

interface Waiting {
    readonly request: HttpRequest;
    readonly answer: (answer: HttpAnswer) => void;
}

/**
 * Makes requests in a thread of its own. Each side tells the other what is new by the end of a turn of its event loop, and sooner
 * where much is new: one message for each request would cost more than it saves, and one for hundreds would keep the other side
 * idle until the last of them is dealt with, so that all requests move in step and neither side works while the other does.
 */
export class HttpThread implements Sender {
    readonly #worker: Worker;
    readonly #instead: Sender;
    readonly #waiting = new Map<number, Waiting>();
    /** Requests that are made instead, and how each is given up. */
    readonly #made = new Map<number, () => void>();
    #hasStarted = false;
    #hasEnded = false;
    #nextId = 0;
    #news: News | null = null;

    /**
     * @param entry file of the thread
     * @param instead makes the requests of a thread that cannot start
     */
    constructor(entry: URL, settings: ThreadSettings, instead: Sender) {
        this.#instead = instead;
        this.#worker = new Worker(entry, { workerData: settings });
        this.#worker.on('message', (message: FromThread) => this.#take(message));
        this.#worker.on('error', () => this.#end());
        this.#worker.on('exit', () => this.#end());
        // Only a request keeps the process alive.
        this.#worker.unref();
    }

    /** False once it has ended: further requests are for others. */
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

    /** What the thread is told at the end of this turn of the event loop. */
    #tell(): News {
        if (this.#news !== null) return this.#news;
        const news: News = { begun: [], stopped: [] };
        this.#news = news;
        setImmediate(() => this.#post(news));
        return news;
    }

    #post(news: News): void {
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

    /** What was under way is a broken connection to those who wait; a thread that never started has sent nothing. */
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

import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';

/**
 * Number of threads that start at the same time. Each loads its modules separately: with 64 at once on two cores, loading takes
 * so long that no work is done meanwhile.
 */
export const STARTING_AT_ONCE = Math.max(2, availableParallelism());

/** Milliseconds that a thread has to load its modules before it may be ended while loading. */
const START_PATIENCE_MS = 10_000;

/** What this class needs to know about a pool of threads. */
export interface StartingThreads {
    readonly threads: readonly Worker[];
    on(event: 'workerDestroy', listener: () => void): unknown;
}

/**
 * Tracks which threads of a pool have loaded their modules. Node 20 aborts the whole process if a thread is ended while it links
 * its modules ("v8::Module::IsGraphAsync must be used on an instantiated module"), so wait for loading threads before ending any.
 */
export class ThreadStarts {
    readonly #loaded = new Set<number>();
    readonly #waiting = new Set<() => void>();

    constructor(private readonly pool: StartingThreads) {
        pool.on('workerDestroy', () => this.#wake());
    }

    get ready(): number {
        return this.pool.threads.filter(({ threadId }) => this.#loaded.has(threadId)).length;
    }

    /** Records that a thread has loaded its modules. */
    note(threadId: number): void {
        this.#loaded.add(threadId);
        this.#wake();
    }

    /** Resolves when no thread is loading its modules any more, or one takes too long. */
    settled(): Promise<void> {
        if (this.#isSettled()) return Promise.resolve();
        return new Promise((resolve) => {
            const look = (): void => {
                if (this.#isSettled()) end();
            };
            const end = (): void => {
                clearTimeout(timer);
                this.#waiting.delete(look);
                resolve();
            };
            const timer = setTimeout(end, START_PATIENCE_MS);
            this.#waiting.add(look);
        });
    }

    #isSettled(): boolean {
        return this.ready === this.pool.threads.length;
    }

    #wake(): void {
        for (const look of this.#waiting) look();
    }
}

import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';

/**
 * Threads that start at the same time. Each loads its modules on its own: sixty-four at once, on two cores, take so long together that
 * none does any work meanwhile.
 */
export const STARTING_AT_ONCE = Math.max(2, availableParallelism());

/** Milliseconds that a thread gets to load its modules before it is ended in the middle of that. */
const START_PATIENCE_MS = 10_000;

/** What this needs to know of a pool of threads. */
export interface StartingThreads {
    readonly threads: readonly Worker[];
    on(event: 'workerDestroy', listener: () => void): unknown;
}

/**
 * Which threads of a pool have loaded their modules. Node 20 aborts the whole process when a thread is ended while it links its
 * modules ("v8::Module::IsGraphAsync must be used on an instantiated module"): whoever ends threads waits for those first.
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

    /** A thread says that it has loaded its modules. */
    note(threadId: number): void {
        this.#loaded.add(threadId);
        this.#wake();
    }

    /** Resolves when no thread is loading its modules any more, or one has taken too long over it. */
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

import type { Task } from '../../model/task.js';
import type { Backend } from '../backend.js';

/** Runs the tasks of a run on this machine, each in its own process. */
export interface TaskPool {
    readonly backend: Backend;
    /** Seconds after which a task's process counts as hung; null if the executor limits the time itself. */
    readonly patience: (task: Task) => number | null;
    /** Absolute path of the folder below which tasks leave output files; null if they leave none. */
    readonly outputs: string | null;
    /** Languages that it can run; absent if its tasks are not programs. */
    readonly languages?: readonly string[];
    /** Versions of their toolchains, if the programs of tasks run on this machine. */
    readonly toolchains?: Readonly<Record<string, string>>;
}

/** The pool for new tasks of a run, and earlier pools as long as they run tasks of an earlier start. */
export class TaskPools {
    #current: TaskPool;
    /** Tasks by pool. */
    readonly #tasks = new Map<TaskPool, number>();

    constructor(first: TaskPool) {
        this.#current = first;
        this.#tasks.set(first, 0);
    }

    get current(): TaskPool {
        return this.#current;
    }

    /** The run was started again, so new tasks go to this pool. */
    async replace(pool: TaskPool): Promise<void> {
        const before = this.#current;
        this.#current = pool;
        this.#tasks.set(pool, 0);
        await this.#closeUnused(before);
    }

    /** Counts a new task in the current pool. */
    enter(): TaskPool {
        this.#tasks.set(this.#current, this.#count(this.#current) + 1);
        return this.#current;
    }

    /** Counts the end of a task. */
    leave(pool: TaskPool): void {
        this.#tasks.set(pool, this.#count(pool) - 1);
        void this.#closeUnused(pool);
    }

    #count(pool: TaskPool): number {
        return this.#tasks.get(pool) ?? 0;
    }

    async #closeUnused(pool: TaskPool): Promise<void> {
        if (pool === this.#current || this.#count(pool) > 0 || !this.#tasks.delete(pool)) return;
        await pool.backend.close();
    }

    resize(concurrency: number): void {
        for (const { backend } of this.#tasks.keys()) backend.resize(concurrency);
    }

    async close(): Promise<void> {
        await Promise.all([...this.#tasks.keys()].map(({ backend }) => backend.close()));
    }
}

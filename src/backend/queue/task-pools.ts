import type { Task } from '../../model/task.js';
import type { Backend } from '../backend.js';

/** What runs the tasks of a run on this machine, each in a process of its own. */
export interface TaskPool {
    readonly backend: Backend;
    /** Seconds after which a task's process counts as hung; null: the executor bounds it. */
    readonly patience: (task: Task) => number | null;
    /** Folder below which tasks leave files of output, absolute; null: they leave none. */
    readonly outputs: string | null;
    /** Languages that it can run; absent: its tasks are not programs. */
    readonly languages?: readonly string[];
    /** Versions of their toolchains, where the programs of tasks run on this machine. */
    readonly toolchains?: Readonly<Record<string, string>>;
}

/** The pool that new tasks of a run go to, and those before it for as long as tasks of an earlier start run there. */
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

    /** The run was started again: new tasks go to this pool. */
    async replace(pool: TaskPool): Promise<void> {
        const before = this.#current;
        this.#current = pool;
        this.#tasks.set(pool, 0);
        await this.#closeUnused(before);
    }

    /** A task begins, in the current pool. */
    enter(): TaskPool {
        this.#tasks.set(this.#current, this.#count(this.#current) + 1);
        return this.#current;
    }

    /** A task has ended. */
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

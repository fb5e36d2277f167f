import type { Redis } from 'ioredis';
import type { TaskHost } from '../backend.js';
import type { TaskJob } from './flight.js';

/*
 * Tracks which worker has a task that makes requests while it runs. What such a task was given (a place at an endpoint) belongs
 * to the holder: it is taken back when the worker is lost, and a worker that has lost the task gets nothing more. The lock of the
 * task's job in Redis contains the token of the worker that took it; each time a job is taken, the token is new.
 */

/** The holders of tasks that have made a request. */
export class Holders {
    /** Token of the holder, by task. */
    readonly #tokens = new Map<string, string>();

    constructor(
        private readonly client: Redis,
        private readonly jobOf: (task: string) => TaskJob | null,
        /** Called when the holder of a task is lost. */
        private readonly onLost: (task: string) => void,
    ) {}

    /** Whether a call comes from the worker that currently has the task. @throws errors of Redis */
    async isHolder(task: string, token: string): Promise<boolean> {
        const known = this.#tokens.get(task);
        if (known === token) return true;
        const job = this.jobOf(task);
        if (job === null || (await this.client.get(job.queue.keys.lock(job.id))) !== token) return false;
        // Two calls of one holder may get here at the same time.
        const before = this.#tokens.get(task);
        if (before !== undefined && before !== token) this.onLost(task);
        this.#tokens.set(task, token);
        return true;
    }

    /** Checks for holders that are lost because their locks have expired. */
    async look(): Promise<void> {
        const held = [...this.#tokens];
        const pipeline = this.client.pipeline();
        for (const [task] of held) {
            const job = this.jobOf(task);
            if (job === null) {
                this.#tokens.delete(task);
                continue;
            }
            pipeline.get(job.queue.keys.lock(job.id));
            pipeline.hget(job.queue.keys.job(job.id), 'finishedOn');
        }
        const known = held.filter(([task]) => this.#tokens.has(task));
        const answers = (await pipeline.exec()) ?? [];
        for (const [at, [task, token]] of known.entries()) {
            const [error, lock] = answers[2 * at] ?? [null, token];
            const [, finishedOn] = answers[2 * at + 1] ?? [null, null];
            // A finished job has no lock any more; when the task ends, what it was given is taken back anyway.
            if (error !== null || lock === token || finishedOn !== null) continue;
            if (this.#tokens.get(task) !== token) continue;
            this.#tokens.delete(task);
            this.onLost(task);
        }
    }

    /** Called when a task has ended. */
    forget(task: string): void {
        this.#tokens.delete(task);
    }
}

/** Maximum number of ended tasks whose workers can still report something. */
const MAX_FORMER = 10_000;

/** The hosts of recently ended tasks, for late reports of their workers. */
export class FormerHosts {
    readonly #hosts = new Map<string, TaskHost>();

    add(task: string, host: TaskHost): void {
        if (host.hearLate === undefined) return;
        this.#hosts.set(task, host);
        if (this.#hosts.size > MAX_FORMER) this.#hosts.delete(this.#hosts.keys().next().value ?? '');
    }

    get(task: string): TaskHost | undefined {
        return this.#hosts.get(task);
    }
}

import type { Redis } from 'ioredis';
import type { TaskHost } from '../backend.js';
import type { TaskJob } from './flight.js';

/*
 * Which worker has a task that asks something while it runs. What such a task was given (a place at an endpoint) is the holder's: it is
 * taken back when the worker is lost, and one that has lost the task gets nothing more. Redis knows: the lock of the task's job holds
 * the token of the worker that took it, another one each time.
 */

/** Who holds the tasks that have asked something. */
export class Holders {
    /** Token of the holder by task. */
    readonly #tokens = new Map<string, string>();

    constructor(
        private readonly client: Redis,
        private readonly jobOf: (task: string) => TaskJob | null,
        /** The holder of a task is lost. */
        private readonly onLost: (task: string) => void,
    ) {}

    /** Whether a call comes from the worker that has the task now. @throws what Redis says */
    async isHolder(task: string, token: string): Promise<boolean> {
        const known = this.#tokens.get(task);
        if (known === token) return true;
        const job = this.jobOf(task);
        if (job === null || (await this.client.get(job.queue.keys.lock(job.id))) !== token) return false;
        // Two calls of one holder may come here together.
        const before = this.#tokens.get(task);
        if (before !== undefined && before !== token) this.onLost(task);
        this.#tokens.set(task, token);
        return true;
    }

    /** Looks for holders that are lost: their locks have run out. */
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
            // A job that has finished has no lock any more; the task's own end takes back what it has.
            if (error !== null || lock === token || finishedOn !== null) continue;
            if (this.#tokens.get(task) !== token) continue;
            this.#tokens.delete(task);
            this.onLost(task);
        }
    }

    /** A task has ended. */
    forget(task: string): void {
        this.#tokens.delete(task);
    }
}

/** Ended tasks whose workers are still heard. */
const MOST_FORMER = 10_000;

/** Who served tasks that have ended lately, for what their workers say late. */
export class FormerHosts {
    readonly #hosts = new Map<string, TaskHost>();

    add(task: string, host: TaskHost): void {
        if (host.hearLate === undefined) return;
        this.#hosts.set(task, host);
        if (this.#hosts.size > MOST_FORMER) this.#hosts.delete(this.#hosts.keys().next().value ?? '');
    }

    get(task: string): TaskHost | undefined {
        return this.#hosts.get(task);
    }
}

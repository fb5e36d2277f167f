import type { Redis } from 'ioredis';
import type { TaskHost } from '../backend.js';
import type { TaskQueue } from './task-queues.js';

/*
 * Which worker has a task that asks something while it runs. What such a task was given (a place at an endpoint) is the holder's: it is
 * taken back when the worker is lost, and one that has lost the task gets nothing more. Redis knows: a job's lock holds the token of
 * the worker that took it, another one each time.
 */

/** Who holds the jobs that have asked something. */
export class Holders {
    /** Token of the holder by job. */
    readonly #tokens = new Map<string, string>();

    constructor(
        private readonly client: Redis,
        private readonly queueOf: (job: string) => TaskQueue | null,
        /** The holder of a job is lost. */
        private readonly onLost: (job: string) => void,
    ) {}

    /** Whether a call comes from the worker that has the job now. @throws what Redis says */
    async isHolder(job: string, token: string): Promise<boolean> {
        const known = this.#tokens.get(job);
        if (known === token) return true;
        const queue = this.queueOf(job);
        if (queue === null || (await this.client.get(queue.keys.lock(job))) !== token) return false;
        // Two calls of one holder may come here together.
        const before = this.#tokens.get(job);
        if (before !== undefined && before !== token) this.onLost(job);
        this.#tokens.set(job, token);
        return true;
    }

    /** Looks for holders that are lost: their locks have run out. */
    async look(): Promise<void> {
        const held = [...this.#tokens];
        const pipeline = this.client.pipeline();
        for (const [job] of held) {
            const queue = this.queueOf(job);
            if (queue === null) {
                this.#tokens.delete(job);
                continue;
            }
            pipeline.get(queue.keys.lock(job));
            pipeline.hget(queue.keys.job(job), 'finishedOn');
        }
        const known = held.filter(([job]) => this.#tokens.has(job));
        const answers = (await pipeline.exec()) ?? [];
        for (const [at, [job, token]] of known.entries()) {
            const [error, lock] = answers[2 * at] ?? [null, token];
            const [, finishedOn] = answers[2 * at + 1] ?? [null, null];
            // A job that has finished has no lock any more; its own end takes back what it has.
            if (error !== null || lock === token || finishedOn !== null) continue;
            if (this.#tokens.get(job) !== token) continue;
            this.#tokens.delete(job);
            this.onLost(job);
        }
    }

    /** The task of a job has ended. */
    forget(job: string): void {
        this.#tokens.delete(job);
    }
}

/** Ended tasks whose workers are still heard. */
const MOST_FORMER = 10_000;

/** Who served tasks that have ended lately, for what their workers say late. */
export class FormerHosts {
    readonly #hosts = new Map<string, TaskHost>();

    add(job: string, host: TaskHost): void {
        if (host.hearLate === undefined) return;
        this.#hosts.set(job, host);
        if (this.#hosts.size > MOST_FORMER) this.#hosts.delete(this.#hosts.keys().next().value ?? '');
    }

    get(job: string): TaskHost | undefined {
        return this.#hosts.get(job);
    }
}

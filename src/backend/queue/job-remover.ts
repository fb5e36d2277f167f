import type { Redis } from 'ioredis';
import type { Flight } from './flight.js';

/** Milliseconds for which jobs to be removed are gathered. */
const GATHER_MS = 20;

/** Removes jobs whose results are on disk: many at a time, because one at a time costs as much as adding them. */
export class JobRemover {
    #waiting: Flight[] = [];
    /** Jobs that are to be removed and may be in Redis still. */
    readonly #jobs = new Set<string>();
    #removing: Promise<void> | null = null;

    constructor(private readonly client: Redis) {}

    remove(flight: Flight): void {
        this.#waiting.push(flight);
        this.#jobs.add(flight.job);
        this.#removing ??= this.#removeAll();
    }

    has(job: string): boolean {
        return this.#jobs.has(job);
    }

    async #removeAll(): Promise<void> {
        while (this.#waiting.length > 0) {
            await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
            const flights = this.#waiting;
            this.#waiting = [];
            // Redis is gone: what is left there is found as stale later, or by the next start.
            await this.#removeBatch(flights).catch(() => {});
            for (const { job } of flights) this.#jobs.delete(job);
        }
        this.#removing = null;
    }

    async #removeBatch(flights: readonly Flight[]): Promise<void> {
        const keys: string[] = [];
        const completed = new Map<string, string[]>();
        const others: Promise<unknown>[] = [];
        for (const { job, queue, isCompleted, kept } of flights) {
            keys.push(...kept);
            if (queue === null) continue;
            if (isCompleted) {
                // All that BullMQ has of a completed job that has no parent and no lock.
                const set = queue.keys.state('completed');
                const same = completed.get(set) ?? [];
                same.push(job);
                completed.set(set, same);
                keys.push(queue.keys.job(job));
            } else others.push(queue.queue.remove(job));
        }
        const pipeline = this.client.pipeline();
        for (const [set, jobs] of completed) pipeline.zrem(set, jobs);
        if (keys.length > 0) pipeline.unlink(keys);
        await Promise.allSettled([pipeline.exec(), ...others]);
    }

    /** Resolves when everything is removed, or Redis cannot be reached. */
    async flush(): Promise<void> {
        if (this.client.status === 'ready') await this.#removing;
    }
}

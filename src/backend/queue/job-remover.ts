import type { Redis } from 'ioredis';
import type { TaskJob } from './flight.js';

/** Milliseconds for which jobs to remove are gathered. */
const GATHER_MS = 20;

/** Removes jobs whose results are on disk. It removes many at a time, because single removals cost as much as adding the jobs. */
export class JobRemover {
    #waiting: TaskJob[] = [];
    /** Jobs to remove that may still be in Redis. */
    readonly #jobs = new Set<string>();
    #removing: Promise<void> | null = null;

    constructor(private readonly client: Redis) {}

    remove(job: TaskJob): void {
        this.#waiting.push(job);
        this.#jobs.add(job.id);
        this.#removing ??= this.#removeAll();
    }

    has(job: string): boolean {
        return this.#jobs.has(job);
    }

    async #removeAll(): Promise<void> {
        while (this.#waiting.length > 0) {
            await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
            const jobs = this.#waiting;
            this.#waiting = [];
            // Redis is gone; what is left there is removed later as stale, or by the next start.
            await this.#removeBatch(jobs).catch(() => {});
            for (const { id } of jobs) this.#jobs.delete(id);
        }
        this.#removing = null;
    }

    async #removeBatch(jobs: readonly TaskJob[]): Promise<void> {
        const keys: string[] = [];
        const completed = new Map<string, string[]>();
        const others: Promise<unknown>[] = [];
        for (const { id, queue, isCompleted, kept } of jobs) {
            keys.push(...kept);
            if (isCompleted) {
                // Everything that BullMQ stores for a completed job without a parent or a lock.
                const set = queue.keys.state('completed');
                const same = completed.get(set) ?? [];
                same.push(id);
                completed.set(set, same);
                keys.push(queue.keys.job(id));
            } else others.push(queue.queue.remove(id));
        }
        const pipeline = this.client.pipeline();
        for (const [set, ids] of completed) pipeline.zrem(set, ids);
        if (keys.length > 0) pipeline.unlink(keys);
        await Promise.allSettled([pipeline.exec(), ...others]);
    }

    /** Resolves when everything is removed, or Redis cannot be reached. */
    async flush(): Promise<void> {
        if (this.client.status === 'ready') await this.#removing;
    }
}

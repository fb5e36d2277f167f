import { setTimeout as wait } from 'node:timers/promises';
import type { Job as QueueJob, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { RunKeys } from './keys.js';
import type { QueueInfo, Returned } from './messages.js';
import type { QueuePackages } from './redis.js';

/*
 * How a worker takes jobs from several queues with one number of slots. BullMQ's own loop serves a single queue, so jobs are
 * fetched, held and finished manually, with BullMQ's API for that.
 */

/** Timing of the locks of a worker's jobs, in milliseconds. */
export interface WorkerLock {
    /** A job becomes free for others after this time without a renewal. */
    readonly ms: number;
    /** Time between two checks for such jobs. */
    readonly lookMs: number;
}

/** A task may take down this many workers; with the next one it is set aside. */
export const MAX_STALLS = 3;

/** Seconds that one blocking wait for jobs lasts. */
const WAIT_S = 1;

/** Milliseconds before Redis is asked again after an error. */
const RETRY_MS = 1000;

/** A job held by this worker. */
export interface HeldJob {
    readonly id: string;
    readonly job: QueueJob;
    readonly token: string;
    readonly worker: Worker;
}

interface JobFeedOptions {
    readonly packages: QueuePackages;
    readonly client: Redis;
    readonly keys: RunKeys;
    /** The worker's id. */
    readonly name: string;
    readonly lock: WorkerLock;
    /** Called when another worker may have the job. */
    readonly onLost: (job: string) => void;
}

/** The queues of a run, for one worker. */
export class JobFeed {
    readonly #options: JobFeedOptions;
    readonly #workers = new Map<string, Worker>();
    readonly #held = new Map<string, HeldJob>();
    /** Pipelines automatically: commands issued in one turn are sent in one message. */
    readonly #client: Redis;
    /** Blocks while it waits for jobs. */
    readonly #waiting: Redis;
    readonly #renewTimer: NodeJS.Timeout;
    #isRenewing = false;
    #next = 0;
    #isClosed = false;

    constructor(options: JobFeedOptions) {
        this.#options = options;
        this.#client = options.client.duplicate({ enableAutoPipelining: true });
        this.#client.on('error', () => {});
        this.#waiting = options.client.duplicate();
        this.#waiting.on('error', () => {});
        this.#renewTimer = setInterval(() => void this.#renew(), options.lock.ms / 3);
    }

    /** Also takes jobs from these queues from now on. */
    useQueues(queues: readonly QueueInfo[]): void {
        const { packages, keys, name, lock } = this.#options;
        for (const { name: queue } of queues) {
            if (this.#workers.has(queue) || this.#isClosed) continue;
            const worker = new packages.bullmq.Worker(queue, null, {
                connection: this.#client,
                prefix: keys.prefix,
                name,
                lockDuration: lock.ms,
                stalledInterval: lock.lookMs,
                maxStalledCount: MAX_STALLS,
            });
            worker.on('error', () => {});
            void worker.startStalledCheckTimer();
            this.#workers.set(queue, worker);
        }
    }

    get queueNames(): readonly string[] {
        return [...this.#workers.keys()];
    }

    /** Takes the next jobs, at most `most`. @throws errors of Redis */
    async takeSome(most: number): Promise<readonly HeldJob[]> {
        const first = await this.take();
        if (first === null || most === 1) return first === null ? [] : [first];
        const others = await Promise.allSettled(Array.from({ length: most - 1 }, () => this.take()));
        // If Redis returned an error for one of them, the next call will get it again.
        return [
            first,
            ...others.flatMap((taken) => (taken.status === 'fulfilled' ? (taken.value ?? []) : [])),
        ];
    }

    /** Takes the next job, from each queue in turn; null if none waits. @throws errors of Redis */
    async take(): Promise<HeldJob | null> {
        const workers = [...this.#workers.values()];
        for (let tried = 0; tried < workers.length && !this.#isClosed; tried += 1) {
            const number = this.#next++;
            const worker = workers[number % workers.length];
            const token = `${this.#options.name}:${number}`;
            const job = await worker?.getNextJob(token, { block: false });
            if (worker === undefined || job === undefined) continue;
            const held = await this.#hold(job, token, worker);
            if (held !== null) return held;
        }
        return null;
    }

    /** @returns null for a job that has taken down too many workers and is given up */
    async #hold(job: QueueJob, token: string, worker: Worker): Promise<HeldJob | null> {
        if (job.deferredFailure) {
            await job.moveToFailed(new Error(job.deferredFailure), token);
            return null;
        }
        const held = { id: job.id ?? '', job, token, worker };
        this.#held.set(held.id, held);
        return held;
    }

    /** Resolves when a job may be available, or after a while. */
    async wait(): Promise<void> {
        const markers = [...this.#workers.keys()].map((queue) =>
            this.#options.keys.queue(queue).state('marker'),
        );
        try {
            if (markers.length === 0) await wait(RETRY_MS / 10);
            else await this.#waiting.bzpopmin(markers, WAIT_S);
        } catch {
            if (!this.#isClosed) await wait(RETRY_MS / 10);
        }
    }

    /**
     * Finishes a job with its return value. Retries as long as needed, because Redis may be full or away.
     * @param isWanted false if this worker no longer has the job
     * @param takesMore whether to take the next job of its queue in the same step
     * @returns that job; null if there is none
     */
    async finish(
        held: HeldJob,
        returned: Returned,
        isWanted: () => boolean,
        takesMore: () => boolean,
    ): Promise<HeldJob | null> {
        const { job, token, worker } = held;
        try {
            while (isWanted() && !this.#isClosed) {
                try {
                    const next = await job.moveToCompleted(returned, token, takesMore());
                    return await this.#readNext(next, token, worker);
                } catch (error) {
                    if (isJobLost(error)) return null;
                    await wait(RETRY_MS);
                }
            }
            return null;
        } finally {
            this.#release(held);
        }
    }

    /** @param next `[job, id, ...]`, the following job as BullMQ returns it */
    async #readNext(next: unknown, token: string, worker: Worker): Promise<HeldJob | null> {
        if (!Array.isArray(next)) return null;
        const [json, id] = next as readonly unknown[];
        if (typeof id !== 'string' || typeof json !== 'object' || json === null) return null;
        const { Job } = this.#options.packages.bullmq;
        const job = Job.fromJSON(worker, json as Parameters<typeof Job.fromJSON>[1], id);
        return this.#hold(job, token, worker);
    }

    /**
     * Releases an unfinished job. A job that is given back goes to the head of its queue, where another worker can take it at
     * once.
     */
    async letGo(held: HeldJob, why: 'given back' | 'lock lost'): Promise<void> {
        try {
            if (why === 'given back') await held.job.moveToWait(held.token);
        } catch {
            // The lock will expire.
        } finally {
            this.#release(held);
        }
    }

    #release({ id, token }: HeldJob): void {
        if (this.#held.get(id)?.token === token) this.#held.delete(id);
    }

    async #renew(): Promise<void> {
        if (this.#isRenewing) return;
        this.#isRenewing = true;
        try {
            for (const worker of this.#workers.values()) {
                const held = [...this.#held.values()].filter((one) => one.worker === worker);
                if (held.length === 0) continue;
                const ids = held.map(({ id }) => id);
                const tokens = held.map((one) => one.token);
                const lost = await worker.extendJobLocks(ids, tokens, this.#options.lock.ms);
                // A job that has finished meanwhile has no lock either, but is not lost.
                for (const id of lost) if (this.#held.has(id)) this.#options.onLost(id);
            }
        } catch {
            // Redis is away or full; the next renewal comes soon.
        } finally {
            this.#isRenewing = false;
        }
    }

    /** Ends a wait. Held jobs stay held until they are finished or given back. */
    stopWaiting(): void {
        this.#waiting.disconnect();
    }

    async close(): Promise<void> {
        this.#isClosed = true;
        clearInterval(this.#renewTimer);
        this.#waiting.disconnect();
        await Promise.allSettled([...this.#workers.values()].map((worker) => worker.close(true)));
        this.#client.disconnect();
    }
}

/** Whether BullMQ reports that the job, or its lock, no longer exists. */
const isJobLost = (error: unknown): boolean =>
    error instanceof Error && 'code' in error && typeof error.code === 'number' && error.code < 0;

import { setTimeout as wait } from 'node:timers/promises';
import type { Job as QueueJob, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { RunKeys } from './keys.js';
import type { QueueInfo, Returned } from './messages.js';
import type { QueuePackages } from './redis.js';

/*
 * How a worker takes jobs from several queues with one number of slots. BullMQ's own loop knows one queue, so jobs are fetched, held
 * and finished by hand here, by its API for that.
 */

/** How a worker's jobs are held. Milliseconds. */
export interface WorkerLock {
    /** Without a renewal a job is free for others after so long. */
    readonly ms: number;
    /** Between two looks for jobs that are free in this way. */
    readonly lookMs: number;
}

/** Workers that one task may take down before it is set aside, but for the last. */
export const MOST_STALLS = 3;

/** Seconds that one wait for jobs lasts. */
const WAIT_S = 1;

/** Milliseconds before Redis is asked again after an error. */
const RETRY_MS = 1000;

/** A job in the hands of this worker. */
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
    /** Somebody else may have the job by now. */
    readonly onLost: (job: string) => void;
}

/** The queues of a run, for one worker. */
export class JobFeed {
    readonly #options: JobFeedOptions;
    readonly #workers = new Map<string, Worker>();
    readonly #held = new Map<string, HeldJob>();
    /** What is asked of it in one turn goes in one message. */
    readonly #client: Redis;
    /** Blocked while it waits for jobs. */
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

    /** Takes jobs from these queues too, from now on. */
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
                maxStalledCount: MOST_STALLS,
            });
            worker.on('error', () => {});
            void worker.startStalledCheckTimer();
            this.#workers.set(queue, worker);
        }
    }

    get queueNames(): readonly string[] {
        return [...this.#workers.keys()];
    }

    /** The next jobs, so many at most. @throws what Redis says */
    async takeSome(most: number): Promise<readonly HeldJob[]> {
        const first = await this.take();
        if (first === null || most === 1) return first === null ? [] : [first];
        const others = await Promise.allSettled(Array.from({ length: most - 1 }, () => this.take()));
        // An error that Redis gave for one of them comes up again at the next call.
        return [
            first,
            ...others.flatMap((taken) => (taken.status === 'fulfilled' ? (taken.value ?? []) : [])),
        ];
    }

    /** The next job of any queue, each in its turn; null: none waits. @throws what Redis says */
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

    /** @returns null for a job that has lost too many workers: it is given up */
    async #hold(job: QueueJob, token: string, worker: Worker): Promise<HeldJob | null> {
        if (job.deferredFailure) {
            await job.moveToFailed(new Error(job.deferredFailure), token);
            return null;
        }
        const held = { id: job.id ?? '', job, token, worker };
        this.#held.set(held.id, held);
        return held;
    }

    /** Resolves when a job may be there, or after a while. */
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
     * Ends a job with what it returned, for as long as that takes: Redis may be full, or away.
     * @param isWanted false: the job is not ours any more
     * @param takesMore whether the next job of its queue may be had in the same step
     * @returns that job; null: none
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

    /** @param next `[job, id, ...]`, as BullMQ hands on the job that follows */
    async #readNext(next: unknown, token: string, worker: Worker): Promise<HeldJob | null> {
        if (!Array.isArray(next)) return null;
        const [json, id] = next as readonly unknown[];
        if (typeof id !== 'string' || typeof json !== 'object' || json === null) return null;
        const { Job } = this.#options.packages.bullmq;
        const job = Job.fromJSON(worker, json as Parameters<typeof Job.fromJSON>[1], id);
        return this.#hold(job, token, worker);
    }

    /** Lets go of a job unfinished; one that is given back goes to the head of its queue, for another worker to take at once. */
    async letGo(held: HeldJob, why: 'given back' | 'lock lost'): Promise<void> {
        try {
            if (why === 'given back') await held.job.moveToWait(held.token);
        } catch {
            // Its lock runs out.
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
                // One that has finished meanwhile has no lock, and is not lost.
                for (const id of lost) if (this.#held.has(id)) this.#options.onLost(id);
            }
        } catch {
            // Redis is away or full; the next renewal is soon.
        } finally {
            this.#isRenewing = false;
        }
    }

    /** Ends a wait. Jobs that are held stay so until they are finished or given back. */
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

/** Whether BullMQ says that the job, or its lock, is not there any more. */
const isJobLost = (error: unknown): boolean =>
    error instanceof Error && 'code' in error && typeof error.code === 'number' && error.code < 0;

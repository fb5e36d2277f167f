import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { type RunKeys, RUNS_KEY, STATES } from './keys.js';
import { parseRunInfo, type RunInfo, RUN_TTL_S } from './messages.js';

/*
 * Every key of a run expires a week after its coordinator was last there, so that a run which nobody ever continues does not stay in
 * Redis for good. The living coordinator renews them.
 */

/** Milliseconds between two renewals of the keys of jobs. */
const RENEW_MS = 3_600_000;

/** A job, with the keys beside it. */
export interface LeasedJob {
    readonly job: string;
    readonly kept: readonly string[];
}

/** What a coordinator has in Redis, and for how long it stays. */
export class RunLease {
    #renewedAt = performance.now();

    constructor(
        private readonly client: Redis,
        private readonly queue: Queue,
        private readonly keys: RunKeys,
        private readonly run: Omit<RunInfo, 'seen'>,
    ) {}

    /** Tells workers of the run; again from time to time, because Redis may have lost it. */
    async register(): Promise<void> {
        const info: RunInfo = { ...this.run, seen: Date.now() };
        await this.client.hset(RUNS_KEY, info.run, JSON.stringify(info));
    }

    /** Renews the keys of the queue, and once an hour those of its jobs. */
    async renew(jobs: Iterable<LeasedJob>): Promise<void> {
        const isTime = performance.now() - this.#renewedAt > RENEW_MS;
        if (isTime) this.#renewedAt = performance.now();
        await this.#expire(isTime ? jobs : []);
    }

    /** Jobs were added. */
    async lend(jobs: Iterable<LeasedJob>): Promise<void> {
        await this.#expire(jobs);
    }

    async #expire(jobs: Iterable<LeasedJob>): Promise<void> {
        const pipeline = this.client.pipeline();
        for (const state of STATES) pipeline.expire(this.keys.state(state), RUN_TTL_S);
        pipeline.expire(this.keys.calls, RUN_TTL_S);
        pipeline.expire(this.keys.logs, RUN_TTL_S);
        for (const { job, kept } of jobs) {
            pipeline.expire(this.keys.job(job), RUN_TTL_S);
            for (const key of kept) pipeline.expire(key, RUN_TTL_S);
        }
        await pipeline.exec();
    }

    /**
     * Takes the run out of Redis, but for results that wait: a later start collects them.
     * @param isWanted whether the result of a finished job is
     */
    async end(isWanted: (job: string) => boolean): Promise<void> {
        const { client, queue, keys } = this;
        await client.hdel(RUNS_KEY, this.run.run);
        if ((await this.#keepFinished(isWanted)) > 0) await queue.drain();
        else await queue.obliterate({ force: true, count: 10_000 });
        await client.del(keys.calls, keys.logs);
    }

    /** Removes the finished jobs whose result is not wanted. @returns how many stay */
    async #keepFinished(isWanted: (job: string) => boolean): Promise<number> {
        const finished = await this.client.zrange(this.keys.state('completed'), '0', '-1');
        let kept = 0;
        for (const job of finished) {
            if (isWanted(job)) kept += 1;
            else await this.queue.remove(job);
        }
        return kept;
    }

    /** Removes late answers of attempts that nobody waits for any more. */
    async removeStale(isKnown: (job: string) => boolean): Promise<void> {
        const finished = await this.client.zrange(this.keys.state('completed'), '0', String(STALE_AT_ONCE));
        for (const job of finished) if (!isKnown(job)) await this.queue.remove(job);
    }
}

/** Late answers that are removed in one look. */
const STALE_AT_ONCE = 1000;

/** Gives those keys of a queue an expiry that have none: workers make some after its coordinator has died. */
export async function expireQueue(client: Redis, keys: RunKeys): Promise<void> {
    const names = [...STATES.map((state) => keys.state(state)), keys.calls, keys.logs];
    const asked = client.pipeline();
    for (const name of names) asked.ttl(name);
    const answers = (await asked.exec()) ?? [];
    const pipeline = client.pipeline();
    for (const [at, [, seconds]] of answers.entries()) {
        const name = names[at];
        if (seconds === -1 && name !== undefined) pipeline.expire(name, RUN_TTL_S);
    }
    if (pipeline.length > 0) await pipeline.exec();
}

/** The runs of a Redis, by id. Those whose coordinator has not been seen for as long as their keys last are forgotten. */
export async function readRuns(client: Redis): Promise<ReadonlyMap<string, RunInfo>> {
    const found = new Map<string, RunInfo>();
    for (const [run, text] of Object.entries(await client.hgetall(RUNS_KEY))) {
        const info = parseRunInfo(text);
        if (info !== null && Date.now() - info.seen < RUN_TTL_S * 1000) found.set(info.run, info);
        else if (info !== null) await client.hdel(RUNS_KEY, run);
    }
    return found;
}

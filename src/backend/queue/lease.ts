import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { CoordinatorClaim } from './coordinator-claim.js';
import { type RunKeys, RUNS_KEY, STATES } from './keys.js';
import { parseQueues, parseRunInfo, type RunInfo, type RunOrigin, RUN_TTL_S } from './messages.js';
import { expireKeys } from './scripts.js';
import type { SharedClock } from './shared-clock.js';
import type { TaskJob } from './flight.js';
import type { TaskQueue, TaskQueues } from './task-queues.js';

/*
 * Every key of a run expires a week after its coordinator was last seen, so that abandoned runs do not stay in Redis forever. A
 * live coordinator renews them.
 */

/** Milliseconds between two renewals of the keys of jobs. */
const RENEW_MS = 3_600_000;

/** The keys of a coordinator in Redis, and how long they last. */
export class RunLease {
    /** Distinguishes this start of the run from others. */
    readonly start = randomBytes(8).toString('hex');
    readonly #claim: CoordinatorClaim;
    #isRivalTold = false;
    #renewedAt = performance.now();

    constructor(
        private readonly client: Redis,
        private readonly queues: TaskQueues,
        private readonly keys: RunKeys,
        private readonly clock: SharedClock,
        private readonly run: RunOrigin,
        private readonly onNotice: (message: string) => void,
    ) {
        this.#claim = new CoordinatorClaim(client, keys.coordinator, this.start);
    }

    /**
     * Makes this process the coordinator of the run, and announces the run to workers. Workers that still serve an earlier start
     * with other options are told that it is over; its finished results stay, for a start that wants them again.
     * @param shown the address of Redis without secrets
     * @throws UserError (exit 3) if another process coordinates it
     */
    async begin(shown: string): Promise<void> {
        await this.#claim.take(shown);
        await this.register();
        for (const { run, id } of (await readRuns(this.client, this.clock)).values())
            if (id === this.run.id && run !== this.run.run) await this.client.hdel(RUNS_KEY, run);
    }

    /**
     * Announces the run to workers. Called repeatedly, because Redis may have lost it.
     * @returns whether Redis did not have it
     */
    async register(): Promise<boolean> {
        await Promise.all([this.clock.compare(), this.#renewClaim()]);
        const info: RunInfo = { ...this.run, start: this.start, seen: this.clock.now() };
        return (await this.client.hset(RUNS_KEY, info.run, JSON.stringify(info))) === 1;
    }

    async #renewClaim(): Promise<void> {
        const rival = await this.#claim.renew();
        if (rival === null || this.#isRivalTold) return;
        this.#isRivalTold = true;
        this.onNotice(
            `${rival} took over this run while this process was suspended: stop one of them, or tasks will run twice`,
        );
    }

    /** Renews the keys of the queues, and once an hour those of their jobs. */
    async renew(jobs: Iterable<TaskJob>): Promise<void> {
        await expireKeys(this.client, listQueueKeys(this.keys, this.queues.all()), RUN_TTL_S);
        if (performance.now() - this.#renewedAt <= RENEW_MS) return;
        this.#renewedAt = performance.now();
        await this.lend(jobs);
    }

    /** Jobs were added. */
    async lend(jobs: Iterable<TaskJob>): Promise<void> {
        const names = [...jobs].flatMap(({ id, queue, flights, kept }) => [
            queue.keys.job(id),
            ...kept,
            ...[...flights].flatMap((flight) => flight.kept),
        ]);
        await expireKeys(this.client, names, RUN_TTL_S);
    }

    /**
     * Removes the run from Redis, except for waiting results, which a later start collects.
     * @param isWanted whether the result of a finished job is wanted
     */
    async end(isWanted: (job: string) => boolean): Promise<void> {
        const { client, keys } = this;
        await client.hdel(RUNS_KEY, this.run.run);
        let kept = 0;
        for (const queue of this.queues.all()) {
            const keptHere = await this.#keepFinished(queue, isWanted);
            if (keptHere > 0) await queue.queue.drain();
            else await queue.queue.obliterate({ force: true, count: 10_000 });
            kept += keptHere;
        }
        await client.del(keys.calls, keys.logs, ...(kept === 0 ? [keys.queues] : []));
        await this.#claim.release();
    }

    /** Removes the finished jobs whose result is not wanted. @returns how many are kept */
    async #keepFinished({ queue, keys }: TaskQueue, isWanted: (job: string) => boolean): Promise<number> {
        const finished = await this.client.zrange(keys.state('completed'), '0', '-1');
        let kept = 0;
        for (const job of finished) {
            if (isWanted(job)) kept += 1;
            else await queue.remove(job);
        }
        return kept;
    }
}

/** The keys of a run in Redis, except for those of jobs and those that expire soon. */
const listQueueKeys = (keys: RunKeys, queues: readonly { readonly name: string }[]): string[] => [
    keys.queues,
    keys.calls,
    keys.logs,
    ...queues.flatMap(({ name }) => STATES.map((state) => keys.queue(name).state(state))),
];

/** Sets an expiry on keys of a run that have none: workers create some after its coordinator has died. */
export async function expireQueues(client: Redis, keys: RunKeys): Promise<void> {
    const names = listQueueKeys(keys, parseQueues(await client.hgetall(keys.queues)));
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

/** The runs in a Redis, by name. Removes those whose coordinator has not been seen for as long as their keys last. */
export async function readRuns(client: Redis, clock: SharedClock): Promise<ReadonlyMap<string, RunInfo>> {
    const found = new Map<string, RunInfo>();
    for (const [run, text] of Object.entries(await client.hgetall(RUNS_KEY))) {
        const info = parseRunInfo(text);
        if (info !== null && clock.now() - info.seen < RUN_TTL_S * 1000) found.set(info.run, info);
        else if (info !== null) await client.hdel(RUNS_KEY, run);
    }
    return found;
}

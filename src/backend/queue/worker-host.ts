import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import { getMessage } from '../../util/message.js';
import { UserError } from '../../util/user-error.js';
import { makeRunKeys, WORKERS_KEY } from './keys.js';
import { expireQueues, readRuns } from './lease.js';
import { parseQueues, parseWorkerInfo, PROTOCOL, type RunInfo, type WorkerInfo } from './messages.js';
import {
    connectRedis,
    explainRefusal,
    loadQueuePackages,
    type QueuePackages,
    type RedisAccess,
} from './redis.js';
import { SharedClock } from './shared-clock.js';
import { RunService, type RunServiceOptions, type ServiceCounts } from './worker.js';

export interface QueueWorkerOptions
    extends Pick<
        RunServiceOptions,
        'concurrency' | 'createPool' | 'scratch' | 'sharedPaths' | 'cacheBytes' | 'lock'
    > {
    readonly redis: RedisAccess;
    readonly version: string;
    /** The worker's description of itself. */
    readonly about: Pick<WorkerInfo, 'executors' | 'toolchains' | 'sandbox'>;
    /** Ids of the runs to serve; empty: all runs. */
    readonly runs: readonly string[];
    readonly onNotice: (message: string) => void;
}

/** Milliseconds between two checks of which runs exist. */
const LOOK_MS = 1000;

/**
 * Checks without a run after which it counts as over. By then, its coordinator would have announced it again to a Redis that was
 * emptied.
 */
const MISSED_BOUND = 4;

/** Milliseconds between two checks for keys without an expiry. */
const EXPIRE_MS = 60_000;

/** Milliseconds after which a worker that is not seen any more is no longer listed. */
const FORGET_WORKER_MS = 60_000;

/** Serves all runs in a Redis that this machine can serve, several at a time. */
export class QueueWorker {
    readonly id = `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
    readonly #options: QueueWorkerOptions;
    readonly #packages: QueuePackages;
    readonly #client: Redis;
    readonly #clock: SharedClock;
    readonly #services = new Map<string, RunService>();
    /** Runs that this worker does not serve. */
    readonly #refused = new Map<string, WorkerInfo['refused'][number]>();
    /** Number of consecutive checks that did not find a run. */
    readonly #missed = new Map<string, number>();
    readonly #startedAt = Date.now();
    /** Totals of runs that are over. */
    #past = { done: 0, failures: 0 };
    #timer: NodeJS.Timeout | undefined;
    #looking: Promise<void> = Promise.resolve();
    #isDraining = false;
    #toldRefusal = '';
    #expiredAt = performance.now();

    /** @throws UserError exit 2 if packages are missing, exit 5 if Redis cannot be reached */
    static async open(options: QueueWorkerOptions): Promise<QueueWorker> {
        const packages = await loadQueuePackages();
        return new QueueWorker(options, packages, await connectRedis(packages, options.redis));
    }

    private constructor(options: QueueWorkerOptions, packages: QueuePackages, client: Redis) {
        this.#options = options;
        this.#packages = packages;
        this.#client = client;
        this.#clock = new SharedClock(client);
        this.#watchConnection();
        this.#plan(0);
    }

    #watchConnection(): void {
        const { onNotice, redis } = this.#options;
        let isGone = false;
        this.#client.on('close', () => {
            if (isGone || this.#isDraining) return;
            isGone = true;
            onNotice(
                `Redis at ${redis.shown} is unreachable: running tasks continue, and new ones are taken when it is back`,
            );
        });
        this.#client.on('ready', () => {
            if (isGone) onNotice(`Redis at ${redis.shown} is back`);
            isGone = false;
        });
    }

    #plan(ms: number): void {
        this.#timer = setTimeout(() => {
            this.#looking = this.#lookAndPlan();
        }, ms);
    }

    async #lookAndPlan(): Promise<void> {
        // If this fails because Redis is gone, the next check tries again.
        await this.#look().catch((error: unknown) => this.#noteRefusal(error));
        if (!this.#isDraining) this.#plan(LOOK_MS);
    }

    /** Reports a permission error to the user, because an access list does not change by itself; the same one only once. */
    #noteRefusal(error: unknown): void {
        const explained = explainRefusal(error, this.#options.redis.shown);
        if (explained === error || getMessage(explained) === this.#toldRefusal) return;
        this.#toldRefusal = getMessage(explained);
        this.#options.onNotice(this.#toldRefusal);
    }

    async #look(): Promise<void> {
        if (this.#client.status !== 'ready') return;
        await this.#clock.compare();
        const found = await readRuns(this.#client, this.#clock);
        await this.#expireQueues();
        await this.#leaveEnded(found);
        for (const run of this.#refused.keys()) if (!found.has(run)) this.#refused.delete(run);
        const { runs } = this.#options;
        for (const [run, info] of found) {
            const service = this.#services.get(run);
            if (service !== undefined) await this.#noteStart(info, service);
            else if (!this.#refused.has(run) && (runs.length === 0 || runs.includes(info.id)))
                await this.#join(info);
        }
        for (const [run, service] of this.#services) await this.#findQueues(run, service);
        await this.#report();
    }

    async #leaveEnded(found: ReadonlyMap<string, RunInfo>): Promise<void> {
        const ids = new Set([...found.values()].map(({ id }) => id));
        for (const [run, service] of this.#services) {
            const missed = found.has(run) ? 0 : (this.#missed.get(run) ?? 0) + 1;
            this.#missed.set(run, missed);
            if (missed > 0 && ids.has(service.run.id))
                await this.#leave(service, 'was restarted with other options');
            else if (missed >= MISSED_BOUND) await this.#leave(service, 'has ended');
        }
    }

    async #findQueues(run: string, service: RunService): Promise<void> {
        service.useQueues(parseQueues(await this.#client.hgetall(makeRunKeys(run).queues)));
    }

    async #expireQueues(): Promise<void> {
        if (performance.now() - this.#expiredAt < EXPIRE_MS) return;
        this.#expiredAt = performance.now();
        for (const run of this.#services.keys()) await expireQueues(this.#client, makeRunKeys(run));
    }

    async #join(info: RunInfo): Promise<void> {
        const { onNotice, version } = this.#options;
        try {
            if (this.#isDraining) return;
            if (info.protocol !== PROTOCOL || info.version !== version) {
                throw new UserError(`the run uses resume-run ${info.version}, this worker ${version}`);
            }
            const service = await RunService.open({
                ...this.#options,
                packages: this.#packages,
                client: this.#client,
                clock: this.#clock,
                id: this.id,
                host: hostname(),
                run: info,
                concurrency: this.#share(this.#services.size + 1),
            });
            this.#services.set(info.run, service);
            this.#shareSlots();
            onNotice(`serves run ${info.id} of ${info.host} (${info.descriptor.kind})`);
        } catch (error) {
            this.#refuse(info, error);
        }
    }

    #refuse({ run, id, host }: RunInfo, error: unknown): void {
        const why = getMessage(error);
        this.#refused.set(run, { run, id, why });
        this.#options.onNotice(`does not serve run ${id} of ${host}: ${why}`);
    }

    /** A restarted run may use other endpoints than before, to which this worker may have no access. */
    async #noteStart(info: RunInfo, service: RunService): Promise<void> {
        try {
            await service.noteStart(info);
        } catch (error) {
            this.#refuse(info, error);
            await this.#leave(service, 'is no longer served');
        }
    }

    /** Leaves a run. Its running tasks are no longer wanted, at least not from this worker. */
    async #leave(service: RunService, why: string): Promise<void> {
        const { run, id } = service.run;
        this.#services.delete(run);
        this.#missed.delete(run);
        service.giveBack();
        await service.drain(0);
        // Data that BullMQ keeps for queues without jobs.
        const notes = service.queueNames.flatMap((name) => {
            const keys = makeRunKeys(run).queue(name);
            return [keys.state('meta'), keys.state('stalled-check')];
        });
        if (notes.length > 0) await this.#client.del(notes).catch(() => 0);
        const { done, failures } = service.counts;
        this.#past = { done: this.#past.done + done, failures: this.#past.failures + failures };
        this.#shareSlots();
        this.#options.onNotice(`run ${id} ${why}: ${done} tasks done here`);
    }

    /** Number of slots for each of several runs. */
    #share(runs: number): number {
        return Math.max(1, Math.floor(this.#options.concurrency / Math.max(1, runs)));
    }

    #shareSlots(): void {
        for (const service of this.#services.values()) service.resize(this.#share(this.#services.size));
    }

    /** Reports its state to Redis, where `resume-run workers` reads it. */
    async #report(): Promise<void> {
        const info: WorkerInfo = {
            id: this.id,
            host: hostname(),
            pid: process.pid,
            version: this.#options.version,
            ...this.#options.about,
            slots: this.#options.concurrency,
            inFlight: this.inFlight,
            takenAhead: this.takenAhead,
            done: this.#past.done + this.#sum('done'),
            failures: this.#past.failures + this.#sum('failures'),
            isDraining: this.#isDraining,
            refused: [...this.#refused.values()],
            startedAt: this.#clock.toShared(this.#startedAt),
            seen: this.#clock.now(),
        };
        await this.#client.hset(WORKERS_KEY, this.id, JSON.stringify(info));
    }

    #sum(key: keyof ServiceCounts): number {
        return [...this.#services.values()].reduce((total, { counts }) => total + counts[key], 0);
    }

    get inFlight(): number {
        return this.#sum('inFlight');
    }

    get takenAhead(): number {
        return this.#sum('takenAhead');
    }

    /** For tests: sets the number of concurrent tasks. */
    resize(concurrency: number): void {
        for (const service of this.#services.values()) service.resize(concurrency);
    }

    /**
     * Takes no more jobs, waits for running tasks, and leaves.
     * @param graceMs milliseconds after which tasks that still run are given back
     */
    async drain(graceMs: number): Promise<void> {
        if (this.#isDraining) return;
        this.#isDraining = true;
        clearTimeout(this.#timer);
        await this.#looking;
        if (this.#client.status === 'ready') await this.#report().catch(() => {});
        await Promise.all([...this.#services.values()].map((service) => service.drain(graceMs)));
        if (this.#client.status === 'ready') await this.#client.hdel(WORKERS_KEY, this.id).catch(() => {});
        this.#client.disconnect();
    }

    /** Gives back all running tasks at once. */
    giveBack(): void {
        for (const service of this.#services.values()) service.giveBack();
    }
}

/** The recently seen workers in a Redis, with times by this machine's clock. @throws UserError as `QueueWorker.open` does */
export async function listWorkers(redis: RedisAccess): Promise<readonly WorkerInfo[]> {
    const packages = await loadQueuePackages();
    const client = await connectRedis(packages, redis);
    try {
        const workers: WorkerInfo[] = [];
        const clock = new SharedClock(client);
        await clock.compare();
        for (const [id, text] of Object.entries(await client.hgetall(WORKERS_KEY))) {
            const info = parseWorkerInfo(text);
            if (info !== null && clock.now() - info.seen < FORGET_WORKER_MS) {
                workers.push({
                    ...info,
                    startedAt: clock.toLocal(info.startedAt),
                    seen: clock.toLocal(info.seen),
                });
            } else await client.hdel(WORKERS_KEY, id); // A live worker reports again within a second.
        }
        return workers.sort((a, b) => a.id.localeCompare(b.id));
    } catch (error) {
        throw explainRefusal(error, redis.shown);
    } finally {
        client.disconnect();
    }
}

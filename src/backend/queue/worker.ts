import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Served, TaskLog } from '../../model/task.js';
import { type HeldJob, JobFeed, type WorkerLock } from './job-feed.js';
import { RunningJob } from './running-job.js';
import { JobsAhead, MAX_SILENCE_MS, MAX_WAIT_MS } from './jobs-ahead.js';
import { makeRunKeys, type RunKeys } from './keys.js';
import { type NamedTask, type QueueInfo, type RunInfo, unpackJob, type WorkerAnswer } from './messages.js';
import { OutputSender } from './output-files.js';
import type { QueuePackages } from './redis.js';
import { RunStarts } from './run-starts.js';
import { convertTimes, type SharedClock } from './shared-clock.js';
import { StageCache } from './stage-cache.js';
import { type TaskPool, TaskPools } from './task-pools.js';
import { failHere, TaskRunner } from './task-runner.js';
import { WorkerCalls } from './worker-calls.js';
import { type WorkerFlight, withdraw } from './worker-flight.js';

export interface RunServiceOptions {
    readonly packages: QueuePackages;
    readonly client: Redis;
    readonly clock: SharedClock;
    /** The worker's id, unique among all workers. */
    readonly id: string;
    readonly host: string;
    readonly run: RunInfo;
    readonly concurrency: number;
    /** Makes the pool. @throws UserError if this worker cannot do the run's tasks */
    readonly createPool: (run: RunInfo, onLog: (line: TaskLog) => void) => Promise<TaskPool>;
    /** Folder for samples: absolute path, exists, nothing else uses it. */
    readonly scratch: string;
    readonly sharedPaths: readonly string[];
    /** Maximum bytes of samples kept on the disk. */
    readonly cacheBytes: number;
    /** For tests, which cannot wait as long as a busy machine may need. */
    readonly lock?: WorkerLock;
}

/*
 * The loss of a killed worker is detected at the second look after its lock has expired: after at most 10 s plus twice 2 s.
 * Besides passing tasks on, this process only renews locks, so a lock of 10 s outlasts any pause, unless the machine stands
 * still.
 */
const LOCK: WorkerLock = { ms: 10_000, lookMs: 2000 };

/** Milliseconds for which tiny tasks are gathered. */
const GATHER_MS = 10;

/** Milliseconds before Redis is asked again after an error. */
const RETRY_MS = 1000;

/** Counts of one worker in one run. */
export interface ServiceCounts {
    readonly inFlight: number;
    /** Tasks taken beyond the slots. */
    readonly takenAhead: number;
    readonly done: number;
    readonly failures: number;
}

/** Serves the tasks of one run: takes jobs, keeps their locks, hands them to the pool and writes the answers. */
export class RunService {
    readonly #options: RunServiceOptions;
    readonly #keys: RunKeys;
    readonly #pools: TaskPools;
    readonly #feed: JobFeed;
    readonly #calls: WorkerCalls;
    readonly #runner: TaskRunner;
    readonly #aborts: Redis;
    /** Tasks by name. */
    readonly #flights = new Map<string, WorkerFlight>();
    readonly #jobs = new Map<string, RunningJob>();
    readonly #ahead = new JobsAhead();
    readonly #watch: NodeJS.Timeout;
    /** The loop that takes jobs, until this worker drains. */
    #taking: Promise<void>;
    #concurrency: number;
    readonly #starts: RunStarts;
    #isDraining = false;
    /** Called when a slot is free. */
    #onFree: () => void = () => {};
    #done = 0;
    #failures = 0;

    /** @throws UserError if this worker cannot do the run's tasks */
    static async open(options: RunServiceOptions): Promise<RunService> {
        const log: { take: (line: TaskLog) => void } = { take: () => {} };
        const pool = await options.createPool(options.run, (line) => log.take(line));
        const service = new RunService(options, pool);
        log.take = (line) => service.#log(line);
        return service;
    }

    private constructor(options: RunServiceOptions, pool: TaskPool) {
        this.#options = options;
        this.#pools = new TaskPools(pool);
        const { client, packages, run, id, lock = LOCK } = options;
        this.#keys = makeRunKeys(run.run);
        const connect = (): Redis => {
            const other = client.duplicate();
            other.on('error', () => {});
            return other;
        };
        this.#calls = new WorkerCalls(client, connect(), this.#keys, id);
        const stages = new StageCache({
            client,
            keys: this.#keys,
            folder: join(options.scratch, 'samples'),
            sharedPaths: options.sharedPaths,
            maxBytes: options.cacheBytes,
            ask: async (sha256) =>
                void (await this.#calls.ask('sample', 'sample', { do: 'send-file', sha256 })),
        });
        const outputs = pool.outputs === null ? null : new OutputSender(client, this.#keys, pool.outputs);
        this.#runner = new TaskRunner(this.#pools, stages, this.#calls, outputs);
        this.#aborts = connect();
        void this.#aborts.subscribe(this.#keys.aborts).catch(() => {});
        this.#aborts.on('message', (_channel, task) => this.#end(task, 'unwanted'));
        this.#concurrency = options.concurrency;
        this.#starts = new RunStarts(client, run, async (next) => {
            this.#calls.askAgain();
            await this.#pools.replace(await options.createPool(next, (line) => this.#log(line)));
        });
        this.#feed = new JobFeed({
            packages,
            client,
            keys: this.#keys,
            name: id,
            lock,
            onLost: (job) => this.#lose(job),
        });
        this.#watch = setInterval(() => this.#giveBackWaiting(), MAX_SILENCE_MS);
        this.#taking = this.#takeJobs();
    }

    /** Sets the queues of the run; this worker takes tasks from those whose languages it has. */
    useQueues(queues: readonly QueueInfo[]): void {
        const { languages } = this.#pools.current;
        this.#feed.useQueues(
            queues.filter((queue) => queue.languages.every((tag) => languages?.includes(tag) === true)),
        );
    }

    async #takeJobs(): Promise<void> {
        while (!this.#isDraining) {
            try {
                const room = this.#capacity - this.#load;
                if (room <= 0) await this.#untilFree();
                else {
                    const taken = await this.#feed.takeSome(this.#ahead.countJobs(room));
                    for (const held of taken) void this.#serveJobs(held);
                    if (taken.length === 0) await this.#untilJobs();
                }
            } catch {
                // Redis is away or full; try again.
                await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
            }
        }
    }

    /** Number of tasks here, or of jobs not yet finished in Redis if that is higher. */
    get #load(): number {
        return Math.max(this.#flights.size, this.#jobs.size);
    }

    /** Number of tasks that may be here at once; exceeded by those of one job at most. */
    get #capacity(): number {
        return this.#concurrency + this.#ahead.count(this.#concurrency);
    }

    /**
     * Reports tasks that have ended while others of their job take long, and gives back tasks that have not begun and that other
     * workers could run sooner.
     */
    #giveBackWaiting(): void {
        const now = performance.now();
        if (this.#flights.size > this.#concurrency) {
            const { isSilent } = this.#ahead;
            if (isSilent) this.#ahead.pause();
            for (const flight of this.#flights.values())
                if (isSilent || now - flight.job.takenAt > MAX_WAIT_MS) withdraw(flight);
        }
        for (const job of this.#jobs.values()) if (now - job.takenAt > MAX_SILENCE_MS) job.tell();
    }

    /** Waits until several tiny tasks have gathered: taken one at a time, each costs several round trips to Redis. */
    async #untilJobs(): Promise<void> {
        if (this.#isDraining) return;
        await this.#feed.wait();
        if (this.#capacity > this.#concurrency)
            await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
    }

    async #untilFree(): Promise<void> {
        await new Promise<void>((resolve) => {
            this.#onFree = resolve;
        });
    }

    /** Serves a job, and then each job that is returned when the previous one is finished. */
    async #serveJobs(first: HeldJob): Promise<void> {
        // This job is still counted.
        const takesMore = (): boolean =>
            !this.#isDraining && Math.max(this.#flights.size + 1, this.#jobs.size) <= this.#capacity;
        for (let held: HeldJob | null = first; held !== null; ) held = await this.#serveJob(held, takesMore);
        this.#onFree();
    }

    get counts(): ServiceCounts {
        const inFlight = Math.min(this.#flights.size, this.#concurrency);
        const takenAhead = this.#flights.size - inFlight;
        return { inFlight, takenAhead, done: this.#done, failures: this.#failures };
    }

    /** Notes the current start of the run, which may be a new one. @throws UserError if this worker can no longer do its tasks */
    noteStart(run: RunInfo): Promise<void> {
        return this.#starts.note(run);
    }

    get run(): RunInfo {
        return this.#options.run;
    }

    get queueNames(): readonly string[] {
        return this.#feed.queueNames;
    }

    resize(concurrency: number): void {
        this.#concurrency = concurrency;
        this.#onFree();
        this.#pools.resize(concurrency);
    }

    /** @returns the next job */
    async #serveJob(held: HeldJob, takesMore: () => boolean): Promise<HeldJob | null> {
        const { client } = this.#options;
        const job = new RunningJob(held, client, this.#keys);
        this.#jobs.set(held.id, job);
        try {
            const isOver = await this.#serveTasks(job);
            const returned = isOver ? await job.close() : null;
            if (job.isLost || returned === null) {
                await this.#feed.letGo(held, job.isLost ? 'lock lost' : 'given back');
                return null;
            }
            return await this.#feed.finish(held, returned, () => !job.isLost, takesMore);
        } catch {
            // This worker was cut off from Redis while it ends.
            await this.#feed.letGo(held, 'given back');
            return null;
        } finally {
            this.#jobs.delete(held.id);
        }
    }

    /** Runs the tasks of a job. @returns false if there are no results, so that another worker may take the job unchanged */
    async #serveTasks(job: RunningJob): Promise<boolean> {
        const { id, job: raw } = job.held;
        let unpacked: ReturnType<typeof unpackJob>;
        try {
            unpacked = unpackJob(raw.data);
        } catch (error) {
            const served = failHere(error, Date.now());
            this.#count(served);
            await job.addAnswer(id, this.#makeAnswer(served, 'parent'));
            return true;
        }
        if (!(await this.#starts.knows(unpacked.start))) return false;
        const tasks = await job.pickOpen(unpacked.tasks);
        if (raw.stalledCounter > 0) {
            this.#protectOthers();
            if (tasks.length > 1) {
                // One of them may have taken a worker down; run them one by one to find out which.
                for (const { name } of tasks) job.leave(name);
                return true;
            }
        }
        this.#ahead.noteJob(tasks.length);
        await Promise.all(tasks.map((named) => this.#serve(named, job)));
        return job.hasAnswers;
    }

    async #serve({ name, task }: NamedTask, job: RunningJob): Promise<void> {
        const flight: WorkerFlight = {
            name,
            job,
            pool: null,
            running: null,
            isWithdrawn: false,
            ending: new AbortController(),
            ended: null,
        };
        this.#flights.set(name, flight);
        if (this.#flights.size === 1) this.#ahead.noteBegin();
        try {
            const { served, workerId } = await this.#runner.run(task, flight);
            if (flight.isWithdrawn && served.outcome.kind === 'abort') flight.ended ??= 'given back';
            else if (flight.running?.withdraw !== undefined) this.#ahead.noteEnd(served.duration);
            const outputs = flight.ended === null ? await this.#runner.sendOutputs(flight, served) : {};
            if (flight.ended === 'given back') job.leave(name);
            if (flight.ended === 'given back' || flight.ended === 'lock lost') return;
            this.#count(served);
            await job.addAnswer(name, { ...this.#makeAnswer(served, workerId), ...outputs });
        } finally {
            this.#flights.delete(name);
            if (flight.pool !== null) this.#pools.leave(flight.pool);
            if (this.#load < this.#capacity) this.#onFree();
        }
    }

    #count({ outcome }: Served): void {
        if (outcome.kind !== 'abort') this.#done += 1;
        if (outcome.kind === 'failure') this.#failures += 1;
    }

    #makeAnswer(served: Served, workerId: string): WorkerAnswer {
        return {
            workerId: `${this.#options.host}-${process.pid}-${workerId}`,
            served: { ...served, startedAt: this.#options.clock.toShared(served.startedAt) },
        };
    }

    /**
     * A job that has already lost a worker may take this one down too. So tasks that have not begun go elsewhere and are not
     * blamed.
     */
    #protectOthers(): void {
        this.#ahead.pause();
        if (this.#flights.size < this.#concurrency) return;
        for (const flight of this.#flights.values()) withdraw(flight);
    }

    /** Another worker may have the job now. */
    #lose(id: string): void {
        const job = this.#jobs.get(id);
        job?.lose();
        for (const flight of this.#flights.values())
            if (flight.job === job) this.#end(flight.name, 'lock lost');
    }

    #end(task: string, why: NonNullable<WorkerFlight['ended']>): void {
        const flight = this.#flights.get(task);
        if (flight === undefined) return;
        flight.ended ??= why;
        flight.ending.abort();
        flight.running?.abort();
    }

    #log(line: TaskLog): void {
        this.#calls.log(convertTimes(line, (ms) => this.#options.clock.toShared(ms)));
    }

    /** Takes no more jobs and waits for running tasks. @param graceMs milliseconds after which the rest is given back */
    async drain(graceMs: number): Promise<void> {
        this.#isDraining = true;
        if (this.#flights.size > this.#concurrency)
            for (const flight of this.#flights.values()) withdraw(flight);
        this.#onFree();
        this.#feed.stopWaiting();
        const timer = setTimeout(() => this.giveBack(), graceMs);
        await this.#taking;
        while (this.#jobs.size > 0) await this.#untilFree();
        clearTimeout(timer);
        await this.#feed.close();
        await this.#close();
    }

    /** Gives back all running tasks at once. */
    giveBack(): void {
        for (const task of this.#flights.keys()) this.#end(task, 'given back');
    }

    async #close(): Promise<void> {
        clearInterval(this.#watch);
        await this.#pools.close();
        this.#calls.close();
        this.#aborts.disconnect();
    }
}

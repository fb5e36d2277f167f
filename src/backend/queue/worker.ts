import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Served, TaskLog } from '../../model/task.js';
import { getMessage } from '../../util/message.js';
import { type HeldJob, JobFeed, type WorkerLock } from './job-feed.js';
import { JobsAhead, MOST_SILENCE_MS, MOST_WAIT_MS } from './jobs-ahead.js';
import { makeRunKeys, type RunKeys, RUNS_KEY } from './keys.js';
import { parseRunInfo, type QueueInfo, type RunInfo, unpackTask } from './messages.js';
import { openStage, type OpenStage } from './open-stage.js';
import { findOutputFiles, OutputSender } from './output-files.js';
import { packAnswer } from './pack-answer.js';
import type { QueuePackages } from './redis.js';
import { convertTimes, type SharedClock } from './shared-clock.js';
import { StageCache } from './stage-cache.js';
import { type TaskPool, TaskPools } from './task-pools.js';
import { WorkerCalls } from './worker-calls.js';
import { type WorkerFlight, nameToolchain, withdraw, withPatience } from './worker-flight.js';

export interface RunServiceOptions {
    readonly packages: QueuePackages;
    readonly client: Redis;
    readonly clock: SharedClock;
    /** The worker's id, unique among all workers. */
    readonly id: string;
    readonly host: string;
    readonly run: RunInfo;
    readonly concurrency: number;
    /** Makes the pool. @throws UserError where this worker cannot do the run's tasks */
    readonly createPool: (run: RunInfo, onLog: (line: TaskLog) => void) => Promise<TaskPool>;
    /** Folder for samples; absolute, exists, is ours alone. */
    readonly scratch: string;
    readonly sharedPaths: readonly string[];
    /** Bytes of samples kept on the disk. */
    readonly cacheBytes: number;
    /** For tests, which do not wait for as long as a busy machine may need. */
    readonly lock?: WorkerLock;
}

/*
 * A worker that is killed is missed after its lock has run out, at the second look after that: 10 s and twice 2 s at most. Renewing
 * is all that this process does beside passing tasks on, so a lock of 10 s outlives every pause but a machine that stands still.
 */
const LOCK: WorkerLock = { ms: 10_000, lookMs: 2000 };

/** Milliseconds for which tiny tasks are gathered. */
const GATHER_MS = 10;

/** Starts of a run that are remembered; whoever may write to Redis can make up more. */
const MOST_STARTS = 100;

/** Milliseconds before Redis is asked again after an error. */
const RETRY_MS = 1000;

/** Counts of one worker in one run. */
export interface ServiceCounts {
    readonly inFlight: number;
    /** Taken beyond the slots. */
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
    readonly #stages: StageCache;
    readonly #outputs: OutputSender | null;
    readonly #aborts: Redis;
    readonly #flights = new Map<string, WorkerFlight>();
    readonly #ahead = new JobsAhead();
    readonly #watch: NodeJS.Timeout;
    /** What takes jobs, until this worker drains. */
    #taking: Promise<void>;
    #concurrency: number;
    /** Of the run, as it was last seen. */
    #start: string;
    /** Starts before it of which there are still tasks. */
    readonly #startsBefore = new Set<string>();
    /** Settles when tasks of the last start can be run, or cannot. */
    #renewed: Promise<void> = Promise.resolve();
    #isDraining = false;
    /** Called when a slot is free. */
    #onFree: () => void = () => {};
    #done = 0;
    #failures = 0;

    /** @throws UserError where this worker cannot do the run's tasks */
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
        this.#stages = new StageCache({
            client,
            keys: this.#keys,
            folder: join(options.scratch, 'samples'),
            sharedPaths: options.sharedPaths,
            maxBytes: options.cacheBytes,
            ask: async (sha256) =>
                void (await this.#calls.ask('sample', 'sample', { do: 'send-file', sha256 })),
        });
        this.#outputs = pool.outputs === null ? null : new OutputSender(client, this.#keys, pool.outputs);
        this.#aborts = connect();
        void this.#aborts.subscribe(this.#keys.aborts).catch(() => {});
        this.#aborts.on('message', (_channel, job) => this.#end(job, 'unwanted'));
        this.#concurrency = options.concurrency;
        this.#start = run.start;
        this.#feed = new JobFeed({
            packages,
            client,
            keys: this.#keys,
            name: id,
            lock,
            onLost: (job) => this.#end(job, 'lock lost'),
        });
        this.#watch = setInterval(() => this.#giveBackWaiting(), MOST_SILENCE_MS);
        this.#taking = this.#takeJobs();
    }

    /** The run has these queues: this worker takes from those whose languages it has. */
    useQueues(queues: readonly QueueInfo[]): void {
        const { languages } = this.#pools.current;
        this.#feed.useQueues(
            queues.filter((queue) => queue.languages.every((tag) => languages?.includes(tag) === true)),
        );
    }

    /**
     * The run may have been started again since: new tasks ask whom it names now, and run modules as they are now.
     * @throws UserError where this worker cannot do the run's tasks any more
     */
    noteStart(run: RunInfo): Promise<void> {
        if (run.start === this.#start) return this.#renewed;
        this.#start = run.start;
        this.#calls.askAgain();
        this.#renewed = this.#renewPool(run);
        return this.#renewed;
    }

    async #renewPool(run: RunInfo): Promise<void> {
        await this.#pools.replace(await this.#options.createPool(run, (line) => this.#log(line)));
    }

    /** Whether tasks of a start can be run here; they may come before this worker has heard of it. */
    async #knowsStart(start: string): Promise<boolean> {
        if (start === this.#start || this.#startsBefore.has(start)) return this.#isRenewed();
        const found = await this.#options.client.hget(RUNS_KEY, this.run.run);
        const run = found === null ? null : parseRunInfo(found);
        if (run !== null) void this.noteStart(run).catch(() => {});
        if (start !== this.#start) {
            if (this.#startsBefore.size >= MOST_STARTS) this.#startsBefore.clear();
            this.#startsBefore.add(start);
        }
        return this.#isRenewed();
    }

    #isRenewed(): Promise<boolean> {
        return this.#renewed.then(
            () => true,
            () => false,
        );
    }

    async #takeJobs(): Promise<void> {
        while (!this.#isDraining) {
            try {
                const room = this.#capacity - this.#flights.size;
                if (room <= 0) await this.#untilFree();
                else {
                    const taken = await this.#feed.takeSome(room);
                    for (const held of taken) void this.#serveJobs(held);
                    if (taken.length === 0) await this.#untilJobs();
                }
            } catch {
                // Redis has gone away, or is full: it is asked again.
                await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
            }
        }
    }

    /** Jobs that may be held at once. */
    get #capacity(): number {
        return this.#concurrency + this.#ahead.count(this.#concurrency);
    }

    #noteEnd(duration: number): void {
        this.#ahead.noteEnd(duration);
        if (this.#flights.size < this.#capacity) this.#onFree();
    }

    /** Gives back what others could run sooner: jobs that have not begun. */
    #giveBackWaiting(): void {
        if (this.#flights.size <= this.#concurrency) return;
        const { isSilent } = this.#ahead;
        if (isSilent) this.#ahead.pause();
        const now = performance.now();
        for (const flight of this.#flights.values())
            if (isSilent || now - flight.takenAt > MOST_WAIT_MS) withdraw(flight);
    }

    /** Tiny tasks are waited for until there are some: taken one at a time, each costs several trips to Redis. */
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

    /** Serves a job, and then those that come with the end of the one before. */
    async #serveJobs(first: HeldJob): Promise<void> {
        const takesMore = (): boolean => !this.#isDraining && this.#flights.size <= this.#capacity;
        for (let held: HeldJob | null = first; held !== null; ) held = await this.#serve(held, takesMore);
        this.#onFree();
    }

    get counts(): ServiceCounts {
        const inFlight = Math.min(this.#flights.size, this.#concurrency);
        const takenAhead = this.#flights.size - inFlight;
        return { inFlight, takenAhead, done: this.#done, failures: this.#failures };
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
    async #serve(held: HeldJob, takesMore: () => boolean): Promise<HeldJob | null> {
        const { id } = held;
        const flight: WorkerFlight = {
            held,
            takenAt: performance.now(),
            pool: null,
            running: null,
            isWithdrawn: false,
            ending: new AbortController(),
            ended: null,
        };
        this.#flights.set(id, flight);
        this.#protectOthers(flight);
        try {
            const { served, workerId } = await this.#run(id, flight);
            if (flight.isWithdrawn && served.outcome.kind === 'abort') flight.ended ??= 'given back';
            else if (flight.running?.withdraw !== undefined) this.#noteEnd(served.duration);
            const outputs = flight.ended === null ? await this.#sendOutputs(flight, served) : {};
            if (flight.ended === 'given back' || flight.ended === 'lock lost') {
                await this.#feed.letGo(held, flight.ended);
                return null;
            }
            if (served.outcome.kind !== 'abort') this.#done += 1;
            if (served.outcome.kind === 'failure') this.#failures += 1;
            const answer = {
                workerId: `${this.#options.host}-${process.pid}-${workerId}`,
                served: { ...served, startedAt: this.#options.clock.toShared(served.startedAt) },
                ...outputs,
            };
            const returned = await packAnswer(this.#options.client, this.#keys, JSON.stringify(answer));
            return await this.#feed.finish(held, returned, () => flight.ended !== 'lock lost', takesMore);
        } finally {
            this.#flights.delete(id);
            if (flight.pool !== null) this.#pools.leave(flight.pool);
        }
    }

    /** A job that has lost a worker before may take this one down: what need not be here then goes elsewhere, and is not blamed. */
    #protectOthers({ held }: WorkerFlight): void {
        if (held.job.stalledCounter === 0) return;
        this.#ahead.pause();
        if (this.#flights.size <= this.#concurrency) return;
        for (const flight of this.#flights.values()) withdraw(flight);
    }

    async #run(
        id: string,
        flight: WorkerFlight,
    ): Promise<{ readonly served: Served; readonly workerId: string }> {
        const startedAt = Date.now();
        let stage: OpenStage | null = null;
        try {
            const { start, task } = unpackTask(flight.held.job.data);
            if (!(await this.#knowsStart(start))) this.#end(id, 'given back');
            if (task.stage !== null) stage = await openStage(this.#stages, task.stage, flight.ending.signal);
            const here = { ...task, stage: stage?.path ?? null };
            const { token } = flight.held;
            const pool = this.#pools.enter();
            flight.pool = pool;
            const running = pool.backend.start(here, {
                saveStep: async (step) =>
                    void (await this.#calls.ask(id, token, { do: 'save-step', ...step })),
                ask: (request) => this.#calls.ask(id, token, { do: 'ask', request }),
            });
            flight.running = running;
            if (flight.ended !== null) running.abort();
            else if (flight.isWithdrawn) running.withdraw?.();
            const { workerId, ...served } = await withPatience(running, pool.patience(task));
            return { served: { ...served, outcome: nameToolchain(pool, task, served.outcome) }, workerId };
        } catch (error) {
            const message = `this worker cannot run the task: ${getMessage(error).replace(/\s+/g, ' ').slice(0, 1000)}`;
            const failure = { reason: 'environment', message } as const;
            const served: Served = {
                outcome: flight.ended === null ? { kind: 'failure', failure, by: null } : { kind: 'abort' },
                startedAt,
                duration: 0,
            };
            return { served, workerId: 'parent' };
        } finally {
            stage?.release();
        }
    }

    /** Files of output go before the answer that names them. */
    async #sendOutputs(flight: WorkerFlight, { outcome }: Served): Promise<{ readonly outputs?: string }> {
        const files = this.#outputs === null ? [] : findOutputFiles(outcome);
        if (this.#outputs === null || files.length === 0) return {};
        const name = randomBytes(16).toString('hex');
        if (!(await this.#outputs.send(name, files, () => flight.ended === null)))
            flight.ended ??= 'given back';
        return { outputs: name };
    }

    #end(job: string, why: NonNullable<WorkerFlight['ended']>): void {
        const flight = this.#flights.get(job);
        if (flight === undefined) return;
        flight.ended ??= why;
        flight.ending.abort();
        flight.running?.abort();
    }

    #log(line: TaskLog): void {
        this.#calls.log(
            'log',
            convertTimes(line, (ms) => this.#options.clock.toShared(ms)),
        );
    }

    /** Takes nothing more and waits for what runs. @param graceMs milliseconds after which the rest is given back */
    async drain(graceMs: number): Promise<void> {
        this.#isDraining = true;
        if (this.#flights.size > this.#concurrency)
            for (const flight of this.#flights.values()) withdraw(flight);
        this.#onFree();
        this.#feed.stopWaiting();
        const timer = setTimeout(() => this.giveBack(), graceMs);
        await this.#taking;
        while (this.#flights.size > 0) await this.#untilFree();
        clearTimeout(timer);
        await this.#feed.close();
        await this.#close();
    }

    /** Gives back whatever runs, at once. */
    giveBack(): void {
        for (const job of this.#flights.keys()) this.#end(job, 'given back');
    }

    async #close(): Promise<void> {
        clearInterval(this.#watch);
        await this.#pools.close();
        this.#calls.close();
        this.#aborts.disconnect();
    }
}

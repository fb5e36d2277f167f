import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Served, Task, TaskLog } from '../../model/task.js';
import { getMessage } from '../../util/message.js';
import type { Backend, Running } from '../backend.js';
import { type HeldJob, JobFeed, type WorkerLock } from './job-feed.js';
import { JobsAhead, MOST_SILENCE_MS, MOST_WAIT_MS } from './jobs-ahead.js';
import { makeRunKeys, type RunKeys } from './keys.js';
import { type QueueInfo, type RunInfo, unpackTask } from './messages.js';
import { openStage, type OpenStage } from './open-stage.js';
import { findOutputFiles, OutputSender } from './output-files.js';
import { packAnswer } from './pack-answer.js';
import type { QueuePackages } from './redis.js';
import { StageCache } from './stage-cache.js';
import { WorkerCalls } from './worker-calls.js';

/** What runs the tasks of a run on this machine, each in a process of its own. */
export interface TaskPool {
    readonly backend: Backend;
    /** Seconds after which a task's process counts as hung; null: the executor bounds it. */
    readonly patience: (task: Task) => number | null;
    /** Folder below which tasks leave files of output, absolute; null: they leave none. */
    readonly outputs: string | null;
    /** Languages that it can run; absent: its tasks are not programs. */
    readonly languages?: readonly string[];
    /** Versions of their toolchains, where the programs of tasks run on this machine. */
    readonly toolchains?: Readonly<Record<string, string>>;
}

export interface RunServiceOptions {
    readonly packages: QueuePackages;
    readonly client: Redis;
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

/** Milliseconds before Redis is asked again after an error. */
const RETRY_MS = 1000;

interface Flight {
    readonly held: HeldJob;
    readonly takenAt: number;
    running: Running | null;
    /** It is given back if it has not begun. */
    isWithdrawn: boolean;
    /** Aborted as soon as `ended` is set. */
    readonly ending: AbortController;
    /** Why its process was ended: the coordinator does not want it, its lock was lost, or this worker drains. */
    ended: 'unwanted' | 'lock lost' | 'given back' | null;
}

/** Counts of one worker in one run. */
export interface ServiceCounts {
    readonly inFlight: number;
    readonly done: number;
    readonly failures: number;
}

/** Serves the tasks of one run: takes jobs, keeps their locks, hands them to the pool and writes the answers. */
export class RunService {
    readonly #options: RunServiceOptions;
    readonly #keys: RunKeys;
    readonly #pool: TaskPool;
    readonly #feed: JobFeed;
    readonly #calls: WorkerCalls;
    readonly #stages: StageCache;
    readonly #outputs: OutputSender | null;
    readonly #aborts: Redis;
    readonly #flights = new Map<string, Flight>();
    readonly #ahead = new JobsAhead();
    readonly #watch: NodeJS.Timeout;
    /** What takes jobs, until this worker drains. */
    #taking: Promise<void>;
    #concurrency: number;
    /** Of the run, as it was last seen. */
    #start: string;
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
        this.#pool = pool;
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
        const { languages } = this.#pool;
        this.#feed.useQueues(
            queues.filter((queue) => queue.languages.every((tag) => languages?.includes(tag) === true)),
        );
    }

    /** The run has been started again since. */
    noteStart(start: string): void {
        if (start === this.#start) return;
        this.#start = start;
        this.#calls.askAgain();
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
        return { inFlight: this.#flights.size, done: this.#done, failures: this.#failures };
    }

    get queueNames(): readonly string[] {
        return this.#feed.queueNames;
    }

    resize(concurrency: number): void {
        this.#concurrency = concurrency;
        this.#onFree();
        this.#pool.backend.resize(concurrency);
    }

    /** @returns the next job */
    async #serve(held: HeldJob, takesMore: () => boolean): Promise<HeldJob | null> {
        const { id } = held;
        const flight: Flight = {
            held,
            takenAt: performance.now(),
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
                served,
                ...outputs,
            };
            const returned = await packAnswer(this.#options.client, this.#keys, JSON.stringify(answer));
            return await this.#feed.finish(held, returned, () => flight.ended !== 'lock lost', takesMore);
        } finally {
            this.#flights.delete(id);
        }
    }

    /** A job that has lost a worker before may take this one down: what need not be here then goes elsewhere, and is not blamed. */
    #protectOthers({ held }: Flight): void {
        if (held.job.stalledCounter === 0) return;
        this.#ahead.pause();
        if (this.#flights.size <= this.#concurrency) return;
        for (const flight of this.#flights.values()) withdraw(flight);
    }

    async #run(id: string, flight: Flight): Promise<{ readonly served: Served; readonly workerId: string }> {
        const startedAt = Date.now();
        let stage: OpenStage | null = null;
        try {
            const task = unpackTask(flight.held.job.data);
            if (task.stage !== null) stage = await openStage(this.#stages, task.stage, flight.ending.signal);
            const here = { ...task, stage: stage?.path ?? null };
            const { token } = flight.held;
            const running = this.#pool.backend.start(here, {
                saveStep: async (step) =>
                    void (await this.#calls.ask(id, token, { do: 'save-step', ...step })),
                ask: (request) => this.#calls.ask(id, token, { do: 'ask', request }),
            });
            flight.running = running;
            if (flight.ended !== null) running.abort();
            else if (flight.isWithdrawn) running.withdraw?.();
            const { workerId, ...served } = await this.#withPatience(running, task);
            return { served: { ...served, outcome: this.#nameToolchain(task, served.outcome) }, workerId };
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

    /** Machines may have different toolchains: says which one this verdict is by. */
    #nameToolchain({ input }: Task, outcome: Served['outcome']): Served['outcome'] {
        const version = input.kind === 'program' ? this.#pool.toolchains?.[input.language] : undefined;
        if (outcome.kind !== 'verdict' || input.kind !== 'program' || version === undefined) return outcome;
        return { ...outcome, by: { ...outcome.by, toolchain: `${input.language} ${version}` } };
    }

    async #withPatience(running: Running, task: Task): ReturnType<() => Running['completion']> {
        const patience = this.#pool.patience(task);
        if (patience === null) return running.completion;
        let isHung = false;
        const timer = setTimeout(() => {
            isHung = true;
            running.abort();
        }, patience * 1000);
        const completion = await running.completion.finally(() => clearTimeout(timer));
        if (!isHung || completion.outcome.kind === 'verdict') return completion;
        const message = `the worker gave no answer for ${Math.round(patience)} s and was ended`;
        const failure = { reason: 'no-answer', message, after: patience } as const;
        return { ...completion, outcome: { kind: 'failure', failure, by: null } };
    }

    /** Files of output go before the answer that names them. */
    async #sendOutputs(flight: Flight, { outcome }: Served): Promise<{ readonly outputs?: string }> {
        const files = this.#outputs === null ? [] : findOutputFiles(outcome);
        if (this.#outputs === null || files.length === 0) return {};
        const name = randomBytes(16).toString('hex');
        if (!(await this.#outputs.send(name, files, () => flight.ended === null)))
            flight.ended ??= 'given back';
        return { outputs: name };
    }

    #end(job: string, why: NonNullable<Flight['ended']>): void {
        const flight = this.#flights.get(job);
        if (flight === undefined) return;
        flight.ended ??= why;
        flight.ending.abort();
        flight.running?.abort();
    }

    #log(line: TaskLog): void {
        this.#calls.log('log', line);
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
        await this.#pool.backend.close();
        this.#calls.close();
        this.#aborts.disconnect();
    }
}

/** Gives a job back if it has not begun. */
function withdraw(flight: Flight): void {
    flight.isWithdrawn = true;
    flight.running?.withdraw?.();
}

import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { BroadcastChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { ExecutorDescriptor } from '../model/executor-descriptor.js';
import type { Task, TaskLog } from '../model/task.js';
import { getMessage } from '../util/message.js';
import {
    ABORT_PATIENCE_MS,
    type Backend,
    type Completion,
    KEEPS_NO_STEPS,
    type Running,
    type TaskHost,
    makeUnservedCompletion,
} from './backend.js';
import { serveCall } from './serve-call.js';
import { STARTING_AT_ONCE, ThreadStarts } from './thread-starts.js';
import {
    type BatchDone,
    type ChannelMessage,
    type Job,
    packJobs,
    type ThreadData,
} from './worker/messages.js';

export interface ThreadBackendOptions {
    /** File URL of the thread's entry module. */
    readonly entry: string;
    readonly descriptor: ExecutorDescriptor;
    readonly concurrency: number;
    readonly onLog: (line: TaskLog) => void;
}

/**
 * Runs tasks in worker threads of piscina. Survives a task that throws, exits or fills its JS heap; a native crash takes down the
 * whole process (`--mode process` survives that too).
 *
 * A message costs about 30 µs, so tasks that pile up behind busy threads are sent together. If the thread of a batch dies, its
 * tasks run again one by one, so that only the culprit fails.
 */
export function createThreadBackend(options: ThreadBackendOptions): Backend {
    return new ThreadBackend(options);
}

/** Node adds a listener to stdout and stderr for each thread. That is not a leak, so avoid the warning. */
function allowListeners(threads: number): void {
    for (const stream of [process.stdout, process.stderr]) {
        const needed = threads + EventEmitter.defaultMaxListeners;
        const allowed = stream.getMaxListeners();
        // 0 means no limit.
        if (allowed !== 0 && allowed < needed) stream.setMaxListeners(needed);
    }
}

/** Maximum number of tasks in one message. */
const BATCH_BOUND = 16;

/** A task that waits for a thread or runs in one. */
interface ThreadJob extends Job {
    readonly host: TaskHost;
    readonly startedAt: number;
    readonly settle: (completion: Completion) => void;
    batch: Batch | null;
    aborted: boolean;
    /** Its batch died, so it is sent alone from now on. */
    alone: boolean;
    patience: NodeJS.Timeout | undefined;
}

interface Batch {
    readonly jobs: ReadonlySet<ThreadJob>;
    readonly pool: Piscina;
    readonly terminate: EventEmitter;
    /** Its thread has answered, or died. */
    over: boolean;
}

class ThreadBackend implements Backend {
    readonly #options: ThreadBackendOptions;
    readonly #channelName = `resume-run-${randomUUID()}`;
    readonly #channel = new BroadcastChannel(this.#channelName);
    /** Jobs without an answer. */
    readonly #jobs = new Map<string, ThreadJob>();
    #waiting: ThreadJob[] = [];
    #batches = 0;
    #concurrency: number;
    #pool: Piscina;
    /** Number of batches that each pool still runs. After a resize, the old pool ends with its last batch. */
    readonly #load = new Map<Piscina, number>();
    /** One for each pool that has not ended. */
    readonly #starts = new Map<Piscina, ThreadStarts>();
    readonly #destroyed = new WeakMap<Piscina, Promise<void>>();
    readonly #ending = new Set<Promise<void>>();
    #nextKey = 0;

    constructor(options: ThreadBackendOptions) {
        this.#options = options;
        this.#concurrency = options.concurrency;
        this.#channel.onmessage = (event: unknown): void => {
            const message = (event as { readonly data: ChannelMessage }).data;
            if (message.type === 'early') this.#take(message);
            if (message.type === 'ready') this.#noteReady(message.threadId);
            if (message.type === 'log') options.onLog(message.line);
            if (message.type === 'call') {
                const host = this.#jobs.get(message.key)?.host ?? null;
                void serveCall(message, host).then((reply) => this.#channel.postMessage(reply));
            }
        };
        this.#channel.unref();
        this.#pool = this.#createPool();
    }

    #createPool(): Piscina {
        allowListeners(this.#concurrency);
        const pool = new Piscina({
            filename: this.#options.entry,
            // More are started as they find work, and as earlier ones become ready: see `#bound`.
            minThreads: Math.min(this.#concurrency, STARTING_AT_ONCE),
            maxThreads: this.#concurrency,
            idleTimeout: Number.POSITIVE_INFINITY,
            workerData: {
                descriptor: this.#options.descriptor,
                channel: this.#channelName,
            } satisfies ThreadData,
            recordTiming: false,
        });
        // A worker that dies reports that through its task; without a listener the event would end the process.
        pool.on('error', () => {});
        this.#starts.set(pool, new ThreadStarts(pool));
        return pool;
    }

    start(task: Task, host: TaskHost = KEEPS_NO_STEPS): Running {
        const key = String(this.#nextKey++);
        let settle: ThreadJob['settle'] = () => {};
        const completion = new Promise<Completion>((resolve) => {
            settle = resolve;
        });
        const job: ThreadJob = {
            key,
            task,
            host,
            startedAt: Date.now(),
            settle,
            batch: null,
            aborted: false,
            alone: false,
            patience: undefined,
        };
        this.#jobs.set(key, job);
        if (this.#waiting.length === 0) queueMicrotask(() => this.#dispatch());
        this.#waiting.push(job);
        return { completion, abort: () => this.#abort(job) };
    }

    #noteReady(threadId: number): void {
        for (const starts of this.#starts.values()) starts.note(threadId);
        this.#dispatch();
    }

    /**
     * Maximum number of batches sent at once: two per thread, of which one runs and one waits. While threads are still to be
     * started, one for each ready thread plus the few that may start now, because the pool starts a thread for each batch without
     * one.
     */
    #bound(): number {
        const { threads } = this.#pool;
        if (threads.length >= this.#concurrency) return this.#concurrency * 2;
        return (this.#starts.get(this.#pool)?.ready ?? 0) + STARTING_AT_ONCE;
    }

    #dispatch(): void {
        while (this.#waiting.length > 0 && this.#batches < this.#bound()) {
            // Count all future threads: otherwise a batch of long tasks would keep work from threads that start later.
            const room = Math.max(1, this.#concurrency * 2 - this.#batches);
            const fair = Math.ceil(this.#waiting.length / room);
            const size = this.#waiting.some((job) => job.alone) ? 1 : Math.min(BATCH_BOUND, fair);
            this.#send(this.#waiting.splice(0, size));
        }
    }

    #send(jobs: readonly ThreadJob[]): void {
        const pool = this.#pool;
        const batch: Batch = { jobs: new Set(jobs), pool, terminate: new EventEmitter(), over: false };
        for (const job of jobs) job.batch = batch;
        this.#batches += 1;
        this.#load.set(pool, (this.#load.get(pool) ?? 0) + 1);
        const message = packJobs(jobs.map(({ key, task }): Job => ({ key, task })));
        const answer = pool.run(message, { signal: batch.terminate }) as Promise<BatchDone>;
        void answer
            .then(
                (result) => this.#take(result),
                (error: unknown) => this.#lost(batch, error),
            )
            .finally(() => {
                batch.over = true;
                this.#batches -= 1;
                this.#load.set(pool, (this.#load.get(pool) ?? 1) - 1);
                this.#endIfIdle(pool);
                this.#dispatch();
            });
    }

    #take({ done, threadId }: BatchDone): void {
        const workerId = `thread-${threadId}`;
        for (const { key, served } of done) {
            const job = this.#jobs.get(key);
            if (job !== undefined) this.#settle(job, { ...served, workerId });
        }
    }

    #settle(job: ThreadJob, completion: Completion): void {
        clearTimeout(job.patience);
        this.#jobs.delete(job.key);
        job.settle(completion);
    }

    #lost(batch: Batch, error: unknown): void {
        const unanswered = [...batch.jobs].filter((job) => this.#jobs.has(job.key));
        for (const job of unanswered) {
            if (job.aborted) {
                this.#settle(job, makeUnservedCompletion({ kind: 'abort' }, 'thread', job.startedAt));
            } else if (batch.jobs.size === 1) {
                const message = `the worker thread ended: ${getMessage(error)}`;
                const failure = { reason: 'worker-died', message } as const;
                this.#settle(
                    job,
                    makeUnservedCompletion({ kind: 'failure', failure, by: null }, 'thread', job.startedAt),
                );
            } else {
                job.batch = null;
                job.alone = true;
                this.#waiting.push(job);
            }
        }
    }

    #abort(job: ThreadJob): void {
        if (job.aborted || !this.#jobs.has(job.key)) return;
        job.aborted = true;
        if (job.batch === null) {
            this.#waiting = this.#waiting.filter((other) => other !== job);
            this.#settle(job, makeUnservedCompletion({ kind: 'abort' }, 'thread', job.startedAt));
            return;
        }
        const { batch } = job;
        const message: ChannelMessage = { type: 'abort', key: job.key };
        this.#channel.postMessage(message);
        job.patience = setTimeout(() => void this.#endThread(batch, job), ABORT_PATIENCE_MS);
    }

    async #endThread(batch: Batch, job: ThreadJob): Promise<void> {
        await this.#starts.get(batch.pool)?.settled();
        // A thread that has finished the batch, for whatever reason, will not answer any more.
        if (batch.over) this.#settle(job, makeUnservedCompletion({ kind: 'abort' }, 'thread', job.startedAt));
        else batch.terminate.emit('abort');
    }

    /** Once per pool: one that has ended lists threads that never report again. */
    #destroy(pool: Piscina): Promise<void> {
        const known = this.#destroyed.get(pool);
        if (known !== undefined) return known;
        const settled = this.#starts.get(pool)?.settled() ?? Promise.resolve();
        const destroyed = settled.then(() => pool.destroy()).finally(() => this.#starts.delete(pool));
        this.#destroyed.set(pool, destroyed);
        return destroyed;
    }

    resize(concurrency: number): void {
        const old = this.#pool;
        this.#concurrency = concurrency;
        this.#pool = this.#createPool();
        this.#endIfIdle(old);
        this.#dispatch();
    }

    /** Piscina's own `close` ends threads in the middle of their tasks: when another thread has finished, or after 30 s. */
    #endIfIdle(pool: Piscina): void {
        if (pool === this.#pool || (this.#load.get(pool) ?? 0) > 0) return;
        this.#load.delete(pool);
        const ended = this.#destroy(pool).finally(() => this.#ending.delete(ended));
        this.#ending.add(ended);
    }

    async close(): Promise<void> {
        for (const job of this.#jobs.values()) job.aborted = true;
        await Promise.all([this.#pool, ...this.#load.keys()].map((pool) => this.#destroy(pool)));
        await Promise.allSettled(this.#ending);
        this.#channel.close();
    }
}

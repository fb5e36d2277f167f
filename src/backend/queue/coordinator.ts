import type { Queue, QueueEvents } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Task, TaskLog } from '../../model/task.js';
import { getMessage } from '../../util/message.js';
import {
    ABORT_PATIENCE_MS,
    type Backend,
    KEEPS_NO_STEPS,
    type Completion,
    type Running,
    type TaskHost,
    makeUnservedCompletion,
} from '../backend.js';
import { CallDesk } from './calls.js';
import { describeLargeTask, diedCompletion, type Flight, identify, localize } from './flight.js';
import type { RunKeys } from './keys.js';
import type { RunLease } from './lease.js';
import {
    LARGEST_TASK,
    packTask,
    parseWorkerAnswer,
    parseReturned,
    type RunInfo,
    type WorkerAnswer,
} from './messages.js';
import { findOutputFiles, type OutputPlace, OutputReceiver } from './output-files.js';
import type { RedisAccess } from './redis.js';
import { StageFiles } from './stage-manifest.js';
import type { WaitingJobs } from './waiting-jobs.js';

export interface QueueBackendOptions {
    readonly redis: RedisAccess;
    /** What workers are told of the run. */
    readonly run: Omit<RunInfo, 'seen'>;
    /** Where files of output of the tasks go; null: tasks leave none. */
    readonly outputs: OutputPlace | null;
    readonly onLog: (line: TaskLog) => void;
    /** Lines for people: how Redis is set up. */
    readonly onNotice: (message: string) => void;
    /** Redis is gone, and is back again. */
    readonly onPaused: (message: string) => void;
    readonly onResumed: (message: string) => void;
}

/** Milliseconds between two looks at what Redis has of the run: jobs that are lost, results whose event was missed. */
const LOOK_MS = 2000;

/** Milliseconds without a connection after which people are told. */
const SILENT_MS = 500;

/** Milliseconds that workers get to end tasks when the backend is closed. */
const CLOSE_PATIENCE_MS = ABORT_PATIENCE_MS + 3000;

export interface Connections {
    readonly options: QueueBackendOptions;
    readonly client: Redis;
    readonly waiting: Redis;
    readonly queue: Queue;
    readonly events: QueueEvents;
    readonly keys: RunKeys;
    readonly lease: RunLease;
}

/** The coordinator's side of a queue, see `openQueueBackend`. */
export class QueueCoordinator implements Backend {
    readonly #c: Connections;
    /** Tasks whose job may be in Redis, by job id: from `start` to `release`. */
    readonly #flights = new Map<string, Flight>();
    /** Jobs of an earlier coordinator that no task has claimed yet. */
    readonly #before: WaitingJobs;
    readonly #lease: RunLease;
    readonly #stages: StageFiles;
    readonly #outputs: OutputReceiver | null;
    readonly #desk: CallDesk;
    readonly #lookTimer: NodeJS.Timeout;
    #toAdd: { readonly flight: Flight; readonly data: object }[] = [];
    #isAdding = false;
    /** A look may take longer than the time between two. */
    #isLooking = false;
    #silence: NodeJS.Timeout | undefined;
    #isPaused = false;
    #isClosed = false;

    constructor(connections: Connections, before: WaitingJobs) {
        this.#c = connections;
        this.#before = before;
        this.#lease = connections.lease;
        const { client, waiting, keys, events, options } = connections;
        this.#stages = new StageFiles(client, keys);
        const { outputs } = options;
        this.#outputs = outputs === null ? null : new OutputReceiver(client, keys, outputs);
        this.#desk = new CallDesk(client, waiting, keys, {
            hostOf: (job) => this.#flights.get(job)?.host ?? (this.#before.has(job) ? 'later' : null),
            onLog: options.onLog,
            sendFile: (sha256) => this.#stages.send(sha256),
        });
        void this.#desk.run();
        events.on('completed', ({ jobId, returnvalue }) => void this.#take(jobId, returnvalue));
        events.on('failed', ({ jobId, failedReason }) => this.#setAside(jobId, failedReason));
        client.on('close', () => this.#disconnected());
        client.on('ready', () => this.#connected());
        this.#lookTimer = setInterval(() => void this.#look(), LOOK_MS);
        if (before.size > 0) {
            options.onNotice(`${before.size} tasks of an earlier start wait in Redis or are with workers`);
        }
    }

    start(task: Task, host: TaskHost = KEEPS_NO_STEPS): Running {
        const key = identify(task, this.#c.options.run);
        const claimed = this.#before.claim(key);
        let settle: Flight['settle'] = () => {};
        const completion = new Promise<Completion>((resolve) => {
            settle = resolve;
        });
        const flight: Flight = {
            job: claimed?.job ?? `${key}-${task.attempt}`,
            task,
            host,
            startedAt: Date.now(),
            settle,
            state: 'preparing',
            aborted: false,
            patience: undefined,
            kept: [],
            isTaking: false,
        };
        this.#flights.set(flight.job, flight);
        void this.#prepare(flight, claimed?.state ?? null);
        return {
            completion,
            abort: () => void this.#abort(flight),
            release: () => void this.#release(flight),
        };
    }

    async #prepare(flight: Flight, known: 'finished' | 'unfinished' | null): Promise<void> {
        const { task } = flight;
        try {
            const stage = task.stage === null ? null : await this.#stages.use(task.stage);
            if (flight.state === 'settled') return;
            if (known !== null) {
                flight.state = 'in Redis';
                this.#desk.started(flight.job);
                if (known === 'finished') await this.#fetch(flight.job);
                return;
            }
            const data = packTask({ ...task, stage });
            if (data.task.length > LARGEST_TASK) throw new Error(describeLargeTask(data.task.length));
            this.#toAdd.push({ flight, data });
            if (!this.#isAdding) void this.#add();
        } catch (error) {
            const failure = { reason: 'environment', message: getMessage(error) } as const;
            this.#settle(
                flight,
                makeUnservedCompletion({ kind: 'failure', failure, by: null }, 'queue', flight.startedAt),
            );
        }
    }

    /** Adds what was started in the same turn of the event loop together. */
    async #add(): Promise<void> {
        this.#isAdding = true;
        await new Promise((resolve) => setImmediate(resolve));
        while (this.#toAdd.length > 0 && !this.#isClosed) {
            const batch = this.#toAdd.filter(({ flight }) => flight.state === 'preparing');
            this.#toAdd = [];
            try {
                await this.#c.queue.addBulk(
                    batch.map(({ flight, data }) => ({ name: 'task', data, opts: { jobId: flight.job } })),
                );
                await this.#lease.lend(batch.map(({ flight }) => flight));
                for (const { flight } of batch) {
                    if (flight.state === 'preparing') flight.state = 'in Redis';
                    this.#desk.started(flight.job);
                }
            } catch (error) {
                if (this.#isClosed) break;
                this.#c.options.onNotice(`Redis takes no tasks now: ${getMessage(error)}; trying again`);
                this.#toAdd.push(...batch);
                await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
            }
        }
        this.#isAdding = false;
    }

    // Taking in

    /** Fetches what a finished job returned; its event was missed, or came before this coordinator. */
    async #fetch(job: string): Promise<void> {
        const [returned, failed] = await this.#c.client
            .hmget(this.#c.keys.job(job), 'returnvalue', 'failedReason')
            .catch(() => [null, null]);
        if (typeof failed === 'string') this.#setAside(job, failed);
        else if (typeof returned === 'string') await this.#take(job, JSON.parse(returned));
    }

    async #take(job: string, returned: unknown): Promise<void> {
        const flight = this.#flights.get(job);
        if (flight === undefined || flight.state === 'settled' || flight.isTaking) return;
        flight.isTaking = true;
        try {
            const parsed = parseReturned(returned);
            const text = 'answer' in parsed ? parsed.answer : await this.#longAnswer(flight, parsed.name);
            const answer = parseWorkerAnswer(text);
            const { served, workerId } = answer;
            if (served.outcome.kind === 'abort' && !flight.aborted) {
                // Meant for the coordinator before this one.
                await this.#again(flight);
                return;
            }
            const outcome = (await this.#receiveOutputs(flight, answer)) ?? localize(served.outcome);
            this.#settle(flight, { ...served, outcome, workerId });
        } catch (error) {
            // Redis is gone: the next look finds it again.
            if (this.#isPaused || this.#isClosed) return;
            const message = `the answer of a worker cannot be read: ${getMessage(error).slice(0, 500)}`;
            this.#settle(flight, diedCompletion(flight, message));
        } finally {
            flight.isTaking = false;
        }
    }

    /** @returns an outcome in the place of the worker's, where its files cannot be kept here; null: they are */
    async #receiveOutputs(
        flight: Flight,
        { served, outputs }: WorkerAnswer,
    ): Promise<Completion['outcome'] | null> {
        const files = this.#outputs === null ? [] : findOutputFiles(served.outcome);
        if (this.#outputs === null || files.length === 0) return null;
        if (outputs === undefined) throw new Error('it names files of output that it does not bring');
        const received = await this.#outputs.receive(outputs, files);
        if ('kind' in received) return received;
        flight.kept.push(...received);
        return null;
    }

    async #longAnswer(flight: Flight, name: string): Promise<string> {
        const key = this.#c.keys.answer(name);
        flight.kept.push(key);
        const text = await this.#c.client.get(key);
        if (text === null) throw new Error('it is gone');
        return text;
    }

    /** A job that lost its worker too often. */
    #setAside(job: string, reason: string): void {
        const flight = this.#flights.get(job);
        if (flight === undefined || flight.state === 'settled') return;
        const message = reason.includes('stalled')
            ? 'every worker that ran this task was lost: ended, cut off from Redis, or stopped for longer than its lock'
            : `the queue gave the task up: ${reason}`;
        this.#settle(flight, diedCompletion(flight, message, { retry: false }));
    }

    #settle(flight: Flight, completion: Completion): void {
        if (flight.state === 'settled') return;
        clearTimeout(flight.patience);
        flight.state = 'settled';
        flight.settle(completion);
    }

    /** Hands a task out once more: Redis lost its job, or a worker gave it back. */
    async #again(flight: Flight): Promise<void> {
        const { task } = flight;
        await this.#c.queue.remove(flight.job).catch(() => 0);
        const stage = task.stage === null ? null : await this.#stages.use(task.stage);
        if (task.stage !== null) this.#stages.release(task.stage);
        // It was given up meanwhile.
        if (flight.state === 'settled') return;
        flight.state = 'preparing';
        this.#toAdd.push({ flight, data: packTask({ ...task, stage }) });
        if (!this.#isAdding) void this.#add();
    }

    /** The result is on disk, or not wanted: the job may go. */
    async #release(flight: Flight): Promise<void> {
        if (!this.#flights.delete(flight.job)) return;
        if (flight.task.stage !== null) this.#stages.release(flight.task.stage);
        const { queue, client } = this.#c;
        await Promise.allSettled([
            queue.remove(flight.job),
            ...(flight.kept.length === 0 ? [] : [client.unlink(flight.kept)]),
        ]);
    }

    // Aborting

    async #abort(flight: Flight): Promise<void> {
        if (flight.aborted || flight.state === 'settled') return;
        flight.aborted = true;
        const aborted = (): void =>
            this.#settle(flight, makeUnservedCompletion({ kind: 'abort' }, 'queue', flight.startedAt));
        if (flight.state === 'preparing') {
            aborted();
            return;
        }
        flight.patience = setTimeout(aborted, ABORT_PATIENCE_MS + 1000);
        const { client, queue, keys } = this.#c;
        try {
            const state = await queue.getJobState(flight.job);
            if (state === 'completed' || state === 'failed') await this.#fetch(flight.job);
            else if (state === 'active') await client.publish(keys.aborts, flight.job);
            else if ((await queue.remove(flight.job)) === 1) aborted();
            else await client.publish(keys.aborts, flight.job);
        } catch {
            // Redis is gone; its patience settles the task.
        }
    }

    // Looking after Redis

    #disconnected(): void {
        if (this.#isClosed) return;
        this.#silence ??= setTimeout(() => {
            this.#isPaused = true;
            const { shown } = this.#c.options.redis;
            this.#c.options.onPaused(`Redis at ${shown} is gone: the run goes on when it is back`);
        }, SILENT_MS);
    }

    #connected(): void {
        clearTimeout(this.#silence);
        this.#silence = undefined;
        if (this.#isPaused) this.#c.options.onResumed(`Redis at ${this.#c.options.redis.shown} is back`);
        this.#isPaused = false;
        void this.#look();
    }

    /** Finds jobs that Redis has lost, and results whose event was missed. */
    async #look(): Promise<void> {
        const { client, keys } = this.#c;
        if (this.#isLooking || this.#isClosed || client.status !== 'ready') return;
        this.#isLooking = true;
        try {
            await this.#lease.register();
            const waiting = [...this.#flights.values()].filter(({ state }) => state === 'in Redis');
            const pipeline = client.pipeline();
            for (const { job } of waiting) pipeline.hmget(keys.job(job), 'timestamp', 'finishedOn');
            const answers = (await pipeline.exec()) ?? [];
            for (const [at, [error, fields]] of answers.entries()) {
                const flight = waiting[at];
                if (flight === undefined || flight.state !== 'in Redis' || error !== null) continue;
                const [timestamp, finishedOn] = fields as readonly (string | null)[];
                if (timestamp === null) await this.#again(flight);
                else if (finishedOn !== null) await this.#fetch(flight.job);
            }
            await this.#lease.renew(this.#flights.values());
            await this.#lease.removeStale((job) => this.#flights.has(job) || this.#before.has(job));
        } catch {
            // Redis went away in between; the next look is soon.
        } finally {
            this.#isLooking = false;
        }
    }

    /** Whether a later start needs the result of a job that this one leaves behind. */
    #isWanted(job: string): boolean {
        const flight = this.#flights.get(job);
        return flight === undefined ? this.#before.has(job) : !flight.aborted;
    }

    resize(): void {
        // The workers decide how much they run.
    }

    async close(): Promise<void> {
        if (this.#isClosed) return;
        const open = [...this.#flights.values()].filter(({ state }) => state !== 'settled');
        const ended = Promise.all(open.map((flight) => this.#abort(flight)));
        await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, CLOSE_PATIENCE_MS).unref())]);
        await this.#untilSettled(open);
        this.#isClosed = true;
        clearInterval(this.#lookTimer);
        clearTimeout(this.#silence);
        // Redis may be away: a later start finds what is left.
        if (this.#c.client.status === 'ready')
            await this.#lease.end((job) => this.#isWanted(job)).catch(() => {});
        this.#desk.close();
        await Promise.allSettled([this.#c.events.close(), this.#c.queue.close()]);
        this.#c.client.disconnect();
    }

    async #untilSettled(flights: readonly Flight[]): Promise<void> {
        const deadline = performance.now() + CLOSE_PATIENCE_MS;
        while (flights.some(({ state }) => state !== 'settled') && performance.now() < deadline) {
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
        for (const flight of flights) {
            this.#settle(flight, makeUnservedCompletion({ kind: 'abort' }, 'queue', flight.startedAt));
        }
    }
}

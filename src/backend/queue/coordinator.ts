import type { Redis } from 'ioredis';
import type { CheckerProgram } from '../../model/sample.js';
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
import {
    abortedCompletion,
    boundStart,
    describeLargeTask,
    createIdentifier,
    diedCompletion,
    type Flight,
    listLanguages,
    localize,
} from './flight.js';
import { FinishedJobs } from './finished-jobs.js';
import { JobAdder } from './job-adder.js';
import { JobCheck } from './job-check.js';
import { JobRemover } from './job-remover.js';
import { FormerHosts, Holders } from './holders.js';
import type { RunKeys } from './keys.js';
import type { RunLease } from './lease.js';
import {
    LARGEST_TASK,
    packTask,
    parseWorkerAnswer,
    parseReturned,
    type RunOrigin,
    type WorkerAnswer,
} from './messages.js';
import { findOutputFiles, type OutputPlace, OutputReceiver } from './output-files.js';
import type { RedisAccess } from './redis.js';
import { RedisWatch } from './redis-watch.js';
import type { FinishedJob } from './scripts.js';
import { convertTimes, type SharedClock } from './shared-clock.js';
import { StageFiles } from './stage-manifest.js';
import type { TaskQueues } from './task-queues.js';
import type { WaitingJob, WaitingJobs } from './waiting-jobs.js';
import { WorkerWatch } from './worker-watch.js';

export interface QueueBackendOptions {
    readonly redis: RedisAccess;
    /** What workers are told of the run. */
    readonly run: RunOrigin;
    /** Where files of output of the tasks go; null: tasks leave none. */
    readonly outputs: OutputPlace | null;
    /** Whether workers run the tasks' programs themselves, and must have their languages. */
    readonly runsPrograms: boolean;
    /** Language of a sample's own program, such as a checker; null: none that is known. */
    readonly languageOf: (program: CheckerProgram) => string | null;
    readonly onLog: (line: TaskLog) => void;
    /** Lines for people: how Redis is set up, what tasks wait for. */
    readonly onNotice: (message: string) => void;
    /** Redis is gone, and is back again. */
    readonly onPaused: (message: string) => void;
    readonly onResumed: (message: string) => void;
}

/** Milliseconds that workers get to end tasks when the backend is closed. */
const CLOSE_PATIENCE_MS = ABORT_PATIENCE_MS + 3000;

export interface Connections {
    readonly options: QueueBackendOptions;
    readonly client: Redis;
    /** Another connection like it, for what blocks it. */
    readonly connect: () => Redis;
    readonly queues: TaskQueues;
    readonly keys: RunKeys;
    readonly lease: RunLease;
    readonly clock: SharedClock;
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
    readonly #holders: Holders;
    readonly #former = new FormerHosts();
    readonly #finished: FinishedJobs;
    readonly #remover: JobRemover;
    readonly #adder: JobAdder;
    readonly #identify: (task: Task) => string;
    readonly #check: JobCheck;
    readonly #workers: WorkerWatch;
    readonly #watch: RedisWatch;
    /** Redis may have lost jobs, and they have not been looked for since. */
    #mayHaveLostJobs = false;
    #isClosed = false;

    constructor(connections: Connections, before: WaitingJobs) {
        this.#c = connections;
        this.#before = before;
        this.#lease = connections.lease;
        const { client, connect, queues, keys, options, clock } = connections;
        this.#stages = new StageFiles(client, keys);
        this.#holders = new Holders(
            client,
            (job) => this.#flights.get(job)?.queue ?? null,
            (job) => this.#flights.get(job)?.host.takeBack?.(),
        );
        const { outputs } = options;
        this.#outputs = outputs === null ? null : new OutputReceiver(client, keys, outputs);
        this.#desk = new CallDesk(client, connect(), keys, {
            hostOf: (job) => this.#hostOf(job),
            formerHostOf: (job) => this.#flights.get(job)?.host ?? this.#former.get(job),
            isHolder: (job, token) => this.#holders.isHolder(job, token),
            onLog: (line) => options.onLog(convertTimes(line, (ms) => clock.toLocal(ms))),
            sendFile: (sha256) => this.#stages.send(sha256),
        });
        void this.#desk.run();
        this.#finished = new FinishedJobs(
            connect(),
            () => queues.all(),
            (job) => void this.#end(job),
        );
        void this.#finished.run();
        this.#remover = new JobRemover(client);
        this.#adder = new JobAdder(queues, this.#lease, {
            onAdded: (job) => this.#desk.started(job),
            onNotice: options.onNotice,
        });
        this.#identify = createIdentifier(options.run);
        this.#check = new JobCheck(client, queues, this.#flights);
        this.#workers = new WorkerWatch(client, clock, options);
        this.#watch = new RedisWatch(client, {
            shown: options.redis.shown,
            onPaused: options.onPaused,
            onResumed: options.onResumed,
            look: (isBack) => this.#look(isBack),
        });
        if (before.size > 0) {
            options.onNotice(`${before.size} tasks of an earlier start wait in Redis or are with workers`);
        }
    }

    start(task: Task, host: TaskHost = KEEPS_NO_STEPS): Running {
        const key = this.#identify(task);
        const claimed = this.#before.claim(key);
        let settle: Flight['settle'] = () => {};
        const completion = new Promise<Completion>((resolve) => {
            settle = resolve;
        });
        const flight: Flight = {
            job: claimed?.job ?? `${key}-${task.attempt}`,
            queue: claimed?.queue ?? null,
            task,
            host,
            startedAt: Date.now(),
            isClaimed: claimed !== null,
            settle,
            state: 'preparing',
            aborted: false,
            patience: undefined,
            kept: [],
            isTaking: false,
            isCompleted: false,
        };
        this.#flights.set(flight.job, flight);
        void this.#prepare(flight, claimed?.state ?? null);
        return {
            completion,
            abort: () => void this.#abort(flight),
            release: () => this.#release(flight),
        };
    }

    async #prepare(flight: Flight, known: WaitingJob['state'] | null): Promise<void> {
        try {
            if (known !== null) {
                const { stage } = flight.task;
                if (stage !== null) await this.#stages.use(stage);
                if (flight.state === 'settled') return;
                flight.state = 'in Redis';
                this.#desk.started(flight.job);
                if (known === 'finished') await this.#fetch(flight);
                return;
            }
            await this.#offer(flight);
        } catch (error) {
            const failure = { reason: 'environment', message: getMessage(error) } as const;
            const outcome = { kind: 'failure', failure, by: null } as const;
            this.#settle(flight, makeUnservedCompletion(outcome, 'queue', flight.startedAt));
        }
    }

    #hostOf(job: string): TaskHost | 'later' | null {
        const flight = this.#flights.get(job);
        if (flight !== undefined) return flight.state === 'settled' ? null : flight.host;
        return this.#before.has(job) ? 'later' : null;
    }

    /** Puts a task among those that are added next. @throws Error if it cannot be sent */
    async #offer(flight: Flight): Promise<void> {
        const { task } = flight;
        const stage = task.stage === null ? null : await this.#stages.use(task.stage);
        if (flight.state === 'settled') return;
        const data = packTask(this.#lease.start, { ...task, stage: stage?.manifest ?? null });
        if (data.task.length > LARGEST_TASK) throw new Error(describeLargeTask(data.task.length));
        flight.queue = this.#c.queues.find(listLanguages(task, stage?.programs ?? [], this.#c.options));
        this.#adder.add({ flight, data });
    }

    // Taking in

    /** Fetches what a finished job returned; its event was missed, or came before this coordinator. */
    async #fetch({ job, queue }: Flight): Promise<void> {
        if (queue === null) return;
        const [returned, failed] = await this.#c.client
            .hmget(queue.keys.job(job), 'returnvalue', 'failedReason')
            .catch(() => [null, null]);
        if (typeof failed === 'string') await this.#end({ job, failed });
        else if (typeof returned === 'string') await this.#end({ job, returned });
    }

    async #end(finished: FinishedJob): Promise<void> {
        const flight = this.#flights.get(finished.job);
        if (flight === undefined || flight.state === 'settled' || flight.isTaking) return;
        if ('failed' in finished) this.#setAside(flight, finished.failed);
        else await this.#take(flight, finished.returned);
    }

    async #take(flight: Flight, returned: string): Promise<void> {
        flight.isTaking = true;
        try {
            const parsed = parseReturned(JSON.parse(returned));
            const text = 'answer' in parsed ? parsed.answer : await this.#longAnswer(flight, parsed.name);
            const answer = parseWorkerAnswer(text);
            const { served, workerId } = answer;
            if (served.outcome.kind === 'abort' && !flight.aborted) {
                // Meant for the coordinator before this one.
                await this.#again(flight);
                return;
            }
            const outcome = (await this.#receiveOutputs(flight, answer)) ?? localize(served.outcome);
            flight.isCompleted = true;
            const startedAt = boundStart(this.#c.clock.toLocal(served.startedAt), flight);
            this.#settle(flight, { ...served, startedAt, outcome, workerId });
        } catch (error) {
            // Redis is gone: the next look finds it again.
            if (this.#watch.isPaused || this.#isClosed) return;
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
    #setAside(flight: Flight, reason: string): void {
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
        const { stage } = flight.task;
        await flight.queue?.queue.remove(flight.job).catch(() => 0);
        // It was given up meanwhile.
        if (flight.state === 'settled') return;
        flight.state = 'preparing';
        await this.#offer(flight);
        // The sample is in use twice now.
        if (stage !== null) this.#stages.release(stage);
    }

    /** The result is on disk, or not wanted: the job may go. */
    #release(flight: Flight): void {
        if (!this.#flights.delete(flight.job)) return;
        if (flight.task.stage !== null) this.#stages.release(flight.task.stage);
        this.#remover.remove(flight);
        this.#holders.forget(flight.job);
        this.#former.add(flight.job, flight.host);
    }

    // Aborting

    async #abort(flight: Flight): Promise<void> {
        if (flight.aborted || flight.state === 'settled') return;
        flight.aborted = true;
        const aborted = (): void => this.#settle(flight, abortedCompletion(flight));
        if (flight.state === 'preparing') {
            aborted();
            return;
        }
        flight.patience = setTimeout(aborted, ABORT_PATIENCE_MS + 1000);
        const { client, keys } = this.#c;
        try {
            const state = await flight.queue?.queue.getJobState(flight.job);
            if (state === 'completed' || state === 'failed') await this.#fetch(flight);
            else if (state === 'active') await client.publish(keys.aborts, flight.job);
            else if ((await flight.queue?.queue.remove(flight.job)) === 1) aborted();
            else await client.publish(keys.aborts, flight.job);
        } catch {
            // Redis is gone; its patience settles the task.
        }
    }

    // Looking after Redis

    /** @param isBack whether Redis was away, and may have lost what it had */
    async #look(isBack: boolean): Promise<void> {
        this.#mayHaveLostJobs ||= isBack;
        const wasEmptied = await this.#lease.register();
        this.#mayHaveLostJobs ||= wasEmptied;
        await this.#c.queues.announce();
        await this.#check.takeFinished(
            (job) => this.#flights.has(job) || this.#before.has(job) || this.#remover.has(job),
            (flight) => this.#fetch(flight),
        );
        for (const flight of await this.#check.findLost(this.#mayHaveLostJobs)) await this.#again(flight);
        this.#mayHaveLostJobs = false;
        await this.#lease.renew(this.#flights.values());
        await this.#holders.look();
        await this.#workers.look(this.#flights.values());
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
        this.#watch.close();
        this.#adder.close();
        await this.#remover.flush();
        // Redis may be away: a later start finds what is left.
        if (this.#c.client.status === 'ready')
            await this.#lease.end((job) => this.#isWanted(job)).catch(() => {});
        this.#desk.close();
        this.#finished.close();
        await this.#c.queues.close();
        this.#c.client.disconnect();
    }

    async #untilSettled(flights: readonly Flight[]): Promise<void> {
        const deadline = performance.now() + CLOSE_PATIENCE_MS;
        while (flights.some(({ state }) => state !== 'settled') && performance.now() < deadline) {
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
        for (const flight of flights) this.#settle(flight, abortedCompletion(flight));
    }
}

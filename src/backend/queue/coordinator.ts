import type { Redis } from 'ioredis';
import type { ProblemProgram } from '../../model/problem-programs.js';
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
    createIdentifier,
    describeLargeTask,
    type Flight,
    listLanguages,
    type TaskJob,
} from './flight.js';
import { FinishedJobs } from './finished-jobs.js';
import { JobAdder } from './job-adder.js';
import { JobCheck } from './job-check.js';
import { JobRemover } from './job-remover.js';
import { FormerHosts, Holders } from './holders.js';
import type { RunKeys } from './keys.js';
import type { RunLease } from './lease.js';
import { JobSize } from './job-size.js';
import { MAX_TASK_BYTES, packTask, type RunOrigin } from './messages.js';
import { type OutputPlace, OutputReceiver } from './output-files.js';
import type { RedisAccess } from './redis.js';
import { RedisWatch } from './redis-watch.js';
import { ResultIntake } from './result-intake.js';
import { convertTimes, type SharedClock } from './shared-clock.js';
import { StageFiles } from './stage-manifest.js';
import { isShared, TaskJobs } from './task-jobs.js';
import type { TaskQueues } from './task-queues.js';
import type { WaitingJobs } from './waiting-jobs.js';
import { WorkerWatch } from './worker-watch.js';

export interface QueueBackendOptions {
    readonly redis: RedisAccess;
    /** What workers are told about the run. */
    readonly run: RunOrigin;
    /** Where output files of the tasks go; null if tasks leave none. */
    readonly outputs: OutputPlace | null;
    /** Whether workers run the tasks' programs themselves, and therefore need their languages. */
    readonly runsPrograms: boolean;
    /** Language of a sample's own program, such as a checker; null if unknown. */
    readonly languageOf: (program: ProblemProgram['program']) => string | null;
    readonly onLog: (line: TaskLog) => void;
    /** Receives lines for the user: how Redis is set up, what tasks wait for. */
    readonly onNotice: (message: string) => void;
    /** Called when Redis is gone, and when it is back. */
    readonly onPaused: (message: string) => void;
    readonly onResumed: (message: string) => void;
}

/** Milliseconds that workers have to end tasks when the backend is closed. */
const CLOSE_PATIENCE_MS = ABORT_PATIENCE_MS + 3000;

export interface Connections {
    readonly options: QueueBackendOptions;
    readonly client: Redis;
    /** Opens another connection of the same kind, for blocking commands. */
    readonly connect: () => Redis;
    readonly queues: TaskQueues;
    readonly keys: RunKeys;
    readonly lease: RunLease;
    readonly clock: SharedClock;
}

/** The coordinator's side of a queue, see `openQueueBackend`. */
export class QueueCoordinator implements Backend {
    readonly #c: Connections;
    /** Tasks whose job may be in Redis, by name: from `start` to `release`. */
    readonly #flights = new Map<string, Flight>();
    readonly #jobs = new TaskJobs();
    readonly #size = new JobSize();
    /** Jobs of an earlier coordinator that no task has claimed yet. */
    readonly #before: WaitingJobs;
    readonly #lease: RunLease;
    readonly #stages: StageFiles;
    readonly #results: ResultIntake;
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
    /** Whether Redis may have lost jobs since the last full check. */
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
            (task) => this.#flights.get(task)?.job ?? null,
            (task) => this.#flights.get(task)?.host.takeBack?.(),
        );
        const { outputs } = options;
        this.#results = new ResultIntake({
            client,
            keys,
            clock,
            jobs: this.#jobs,
            outputs: outputs === null ? null : new OutputReceiver(client, keys, outputs),
            isAway: () => this.#watch.isPaused || this.#isClosed,
            settle: (flight, completion) => this.#settle(flight, completion),
            again: (flight) => {
                flight.isAlone = true;
                this.#again(flight);
            },
            onTaken: (duration) => this.#size.noteEnd(duration),
        });
        this.#desk = new CallDesk(client, connect(), keys, {
            hostOf: (task) => this.#hostOf(task),
            formerHostOf: (task) => this.#flights.get(task)?.host ?? this.#former.get(task),
            isHolder: (task, token) => this.#holders.isHolder(task, token),
            onLog: (line) => options.onLog(convertTimes(line, (ms) => clock.toLocal(ms))),
            sendFile: (sha256) => this.#stages.send(sha256),
        });
        void this.#desk.run();
        this.#finished = new FinishedJobs(
            connect(),
            () => queues.all(),
            (news) => void this.#results.take(news),
        );
        void this.#finished.run();
        this.#remover = new JobRemover(client);
        this.#adder = new JobAdder(queues, this.#jobs, this.#lease, {
            size: () => this.#size.most,
            onAdded: ({ name }) => this.#desk.started(name),
            onNotice: options.onNotice,
        });
        this.#identify = createIdentifier(options.run);
        this.#check = new JobCheck(client, queues, this.#jobs, this.#flights);
        this.#workers = new WorkerWatch(client, clock, options);
        this.#watch = new RedisWatch(client, {
            shown: options.redis.shown,
            onPaused: options.onPaused,
            onResumed: options.onResumed,
            look: (isBack) => this.#look(isBack),
        });
        if (before.size > 0) {
            options.onNotice(
                `resuming ${before.size} tasks that an earlier start left in Redis or with workers`,
            );
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
            name: claimed?.name ?? `${key}-${task.attempt}`,
            task,
            host,
            startedAt: Date.now(),
            isClaimed: claimed !== null,
            settle,
            queue: null,
            job: null,
            isAlone: false,
            state: 'preparing',
            aborted: false,
            patience: undefined,
            kept: [],
        };
        this.#flights.set(flight.name, flight);
        if (claimed === null) void this.#offer(flight);
        else void this.#wait(flight, this.#jobs.join(flight, claimed.job, claimed.queue));
        return {
            completion,
            abort: () => void this.#abort(flight),
            release: () => this.#release(flight),
        };
    }

    /** Waits for a task that an earlier coordinator handed out. */
    async #wait(flight: Flight, job: TaskJob): Promise<void> {
        try {
            const { stage } = flight.task;
            if (stage !== null) await this.#stages.use(stage);
            if (flight.state === 'settled') return;
            flight.state = 'in Redis';
            this.#desk.started(flight.name);
            await this.#results.fetch(job);
        } catch (error) {
            this.#fail(flight, error);
        }
    }

    /** Queues a task for the next addition to Redis. */
    async #offer(flight: Flight): Promise<void> {
        try {
            const { task, name } = flight;
            const stage = task.stage === null ? null : await this.#stages.use(task.stage);
            if (flight.state === 'settled') return;
            const packed = packTask({ name, task: { ...task, stage: stage?.manifest ?? null } });
            // Two more for the brackets of the list around it.
            if (packed.length + 2 > MAX_TASK_BYTES) throw new Error(describeLargeTask(packed.length));
            flight.queue = this.#c.queues.find(listLanguages(task, stage?.programs ?? [], this.#c.options));
            this.#adder.add({ flight, packed });
        } catch (error) {
            this.#fail(flight, error);
        }
    }

    /** Ends a task that cannot be sent. */
    #fail(flight: Flight, error: unknown): void {
        const failure = { reason: 'environment', message: getMessage(error) } as const;
        const outcome = { kind: 'failure', failure, by: null } as const;
        this.#settle(flight, makeUnservedCompletion(outcome, 'queue', flight.startedAt));
    }

    #hostOf(name: string): TaskHost | 'later' | null {
        const flight = this.#flights.get(name);
        if (flight !== undefined) return flight.state === 'settled' ? null : flight.host;
        return this.#before.has(name) ? 'later' : null;
    }

    #settle(flight: Flight, completion: Completion): void {
        if (flight.state === 'settled') return;
        clearTimeout(flight.patience);
        flight.state = 'settled';
        flight.settle(completion);
    }

    /** Hands a task out once more: Redis lost its job, or a worker gave it back. */
    #again(flight: Flight): void {
        const job = this.#jobs.leave(flight);
        if (flight.aborted) {
            if (job !== null) this.#remover.remove(job);
            this.#settle(flight, abortedCompletion(flight));
            return;
        }
        flight.state = 'preparing';
        void this.#offerAgain(flight, job);
    }

    /** @param job the task's previous job if no other task is left in it */
    async #offerAgain(flight: Flight, job: TaskJob | null): Promise<void> {
        const { stage } = flight.task;
        // The next job of a single task gets the same id.
        if (job !== null && !isShared(job.id)) await job.queue.queue.remove(job.id).catch(() => 0);
        else if (job !== null) this.#remover.remove(job);
        // The task was given up meanwhile.
        if (flight.state !== 'preparing') return;
        await this.#offer(flight);
        // The sample is now counted as in use twice.
        if (stage !== null) this.#stages.release(stage);
    }

    /** The result is on disk, or not wanted. Removes the job once that holds for all of its tasks. */
    #release(flight: Flight): void {
        if (!this.#flights.delete(flight.name)) return;
        if (flight.task.stage !== null) this.#stages.release(flight.task.stage);
        const job = this.#jobs.leave(flight);
        if (job !== null && !this.#before.hasJob(job.id)) this.#remover.remove(job);
        this.#holders.forget(flight.name);
        this.#former.add(flight.name, flight.host);
    }

    // Aborting

    async #abort(flight: Flight): Promise<void> {
        if (flight.aborted || flight.state === 'settled') return;
        flight.aborted = true;
        const aborted = (): void => this.#settle(flight, abortedCompletion(flight));
        const { job } = flight;
        if (flight.state === 'preparing' || job === null) {
            aborted();
            return;
        }
        flight.patience = setTimeout(aborted, ABORT_PATIENCE_MS + 1000);
        const { client, keys } = this.#c;
        const { queue } = job.queue;
        try {
            const state = await queue.getJobState(job.id);
            if (state === 'completed' || state === 'failed') await this.#results.fetch(job);
            else if (state === 'active') await client.publish(keys.aborts, flight.name);
            // The job waits and has other tasks that are still wanted, so leave it; the answer for this task is ignored.
            else if ([...job.flights].some((one) => !one.aborted && one.state !== 'settled')) aborted();
            else if ((await queue.remove(job.id)) === 1)
                for (const one of job.flights) this.#settle(one, abortedCompletion(one));
            else await client.publish(keys.aborts, flight.name);
        } catch {
            // Redis is gone; the `patience` timer settles the task.
        }
    }

    // Looking after Redis

    /** @param isBack whether Redis was away and may have lost its data */
    async #look(isBack: boolean): Promise<void> {
        this.#mayHaveLostJobs ||= isBack;
        const wasEmptied = await this.#lease.register();
        this.#mayHaveLostJobs ||= wasEmptied;
        await this.#c.queues.announce();
        await this.#check.takeFinished(
            (job) => this.#before.hasJob(job) || this.#remover.has(job),
            (job) => this.#results.fetch(job),
        );
        for (const flight of await this.#check.findLost(this.#mayHaveLostJobs)) this.#again(flight);
        this.#mayHaveLostJobs = false;
        await this.#lease.renew(this.#jobs.values());
        await this.#holders.look();
        await this.#workers.look(this.#flights.values());
    }

    /** Whether a later start needs the result of a job that this one leaves behind. */
    #isWanted(id: string): boolean {
        if (this.#before.hasJob(id)) return true;
        return [...(this.#jobs.get(id)?.flights ?? [])].some(({ aborted }) => !aborted);
    }

    resize(): void {
        // Workers decide how many tasks they run.
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
        // Redis may be away; a later start finds what is left.
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

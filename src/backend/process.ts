import type { ExecutorDescriptor } from '../model/executor-descriptor.js';
import type { Task, TaskLog } from '../model/task.js';
import {
    type Backend,
    type Completion,
    KEEPS_NO_STEPS,
    type Running,
    type TaskHost,
    makeUnservedCompletion,
} from './backend.js';
import { ProcessChild, type ProcessJob } from './process-child.js';

export interface ProcessBackendOptions {
    /** Path of the worker's entry module. */
    readonly entry: string;
    readonly descriptor: ExecutorDescriptor;
    /** Tasks at once. */
    readonly concurrency: number;
    /**
     * Maximum number of tasks in one process; 1 if absent. If the process dies, all of its tasks fail, so with more than one they
     * must not run untrusted code.
     */
    readonly tasksInProcess?: number;
    readonly onLog: (line: TaskLog) => void;
}

/**
 * Runs tasks in forked processes, mostly one at a time in each. Survives whatever a task does to its process, including native
 * crashes.
 *
 * A message and its answer cost more than a tiny task, so tasks that pile up behind busy processes are sent together and take
 * turns. Tasks that have not begun are taken back from a process that is busy with one for long, or has died.
 */
export function createProcessBackend(options: ProcessBackendOptions): Backend {
    return new ProcessBackend(options);
}

/** Maximum number of tasks sent ahead to one process. */
const AHEAD_BOUND = 16;

/** Milliseconds without an answer after which waiting tasks are taken back from a process. */
const QUIET_MS = 200;

class ProcessBackend implements Backend {
    readonly #options: ProcessBackendOptions;
    readonly #all = new Set<ProcessChild>();
    readonly #ending = new Set<Promise<void>>();
    readonly #queue: ProcessJob[] = [];
    #concurrency: number;
    #nextKey = 0;
    #nextChild = 1;
    #isPumpPlanned = false;
    /** Runs while tasks wait in processes. */
    #watch: NodeJS.Timeout | null = null;
    #isClosed = false;

    constructor(options: ProcessBackendOptions) {
        this.#options = options;
        this.#concurrency = options.concurrency;
    }

    start(task: Task, host: TaskHost = KEEPS_NO_STEPS): Running {
        const startedAt = Date.now();
        const { promise, resolve } = withResolvers<Completion>();
        const job: ProcessJob = {
            key: String(this.#nextKey++),
            task,
            host,
            aborted: false,
            number: 0,
            settle: (answer, workerId) =>
                resolve(
                    'kind' in answer
                        ? makeUnservedCompletion(answer, workerId, startedAt)
                        : { ...answer, workerId },
                ),
        };
        this.#queue.push(job);
        this.#planPump();
        return {
            completion: promise,
            abort: () => this.#abort(job),
            withdraw: () => void this.#withdraw(job),
        };
    }

    #abort(job: ProcessJob): void {
        job.aborted = true;
        if (this.#withdraw(job)) return;
        for (const child of this.#all) child.abort(job);
    }

    /** @returns whether the job had not begun */
    #withdraw(job: ProcessJob): boolean {
        for (const child of this.#all) if (child.has(job)) this.#requeue(child.takeBack());
        const at = this.#queue.indexOf(job);
        if (at === -1) return false;
        this.#queue.splice(at, 1);
        job.settle({ kind: 'abort' }, 'process');
        return true;
    }

    /** Queues jobs again that a process has not begun. */
    #requeue(jobs: readonly ProcessJob[]): void {
        const wanted: ProcessJob[] = [];
        for (const job of jobs) {
            if (job.aborted || this.#isClosed) job.settle({ kind: 'abort' }, 'process');
            else wanted.push(job);
        }
        if (wanted.length === 0) return;
        this.#queue.unshift(...wanted);
        this.#planPump();
    }

    /** Deferred, because several tasks may be started together. */
    #planPump(): void {
        if (this.#isPumpPlanned) return;
        this.#isPumpPlanned = true;
        setImmediate(() => {
            this.#isPumpPlanned = false;
            this.#pump();
        });
    }

    #pump(): void {
        this.#spawnNeeded();
        for (let given = true; given && this.#queue.length > 0; ) {
            given = false;
            const share = this.#findShare();
            const children = [...this.#all];
            const busy = children.filter((one) => !one.isIdle);
            for (const child of [...children.filter((one) => one.isIdle), ...busy]) {
                const jobs = this.#queue.splice(0, sizeFor(child, share));
                if (jobs.length === 0) continue;
                child.run(jobs);
                given = true;
            }
        }
        if ([...this.#all].some((child) => child.hasWaiting))
            this.#watch ??= setInterval(() => this.#takeBackWaiting(), QUIET_MS / 2);
    }

    /** Jobs per process if all of them were spread over the current processes. */
    #findShare(): number {
        let jobs = this.#queue.length;
        for (const child of this.#all) jobs += child.size;
        return Math.min(AHEAD_BOUND, Math.ceil(jobs / this.#all.size));
    }

    /** Number of processes needed for the concurrency. */
    get #most(): number {
        return Math.ceil(this.#concurrency / (this.#options.tasksInProcess ?? 1));
    }

    #spawnNeeded(): void {
        let room = 0;
        for (const child of this.#all) if (child.hasRoom) room += 1;
        while (room < this.#queue.length && this.#all.size < this.#most) {
            this.#spawn();
            room += 1;
        }
    }

    #spawn(): void {
        const { entry, descriptor, tasksInProcess = 1, onLog } = this.#options;
        const child: ProcessChild = new ProcessChild(`process-${this.#nextChild++}`, {
            entry,
            descriptor,
            tasksAtOnce: tasksInProcess,
            onLog,
            onAnswer: () => {
                if (this.#all.size > this.#most && child.isIdle) this.#end(child);
                this.#pump();
            },
            onUnbegun: (jobs) => this.#requeue(jobs),
            onGone: () => {
                this.#all.delete(child);
                this.#pump();
            },
        });
        this.#all.add(child);
    }

    /** Ends a process; it gets no more jobs. */
    #end(child: ProcessChild): void {
        this.#all.delete(child);
        const ended = child.end().finally(() => this.#ending.delete(ended));
        this.#ending.add(ended);
    }

    #takeBackWaiting(): void {
        const waiting = [...this.#all].filter((child) => child.hasWaiting);
        for (const child of waiting) if (child.isQuiet(QUIET_MS)) this.#requeue(child.takeBack());
        if (waiting.length > 0 || this.#watch === null) return;
        clearInterval(this.#watch);
        this.#watch = null;
    }

    resize(concurrency: number): void {
        this.#concurrency = concurrency;
        for (const child of this.#all) if (this.#all.size > this.#most && child.isIdle) this.#end(child);
        this.#pump();
    }

    async close(): Promise<void> {
        this.#isClosed = true;
        this.#requeue(this.#queue.splice(0));
        await Promise.all([...[...this.#all].map((child) => child.end()), ...this.#ending]);
        if (this.#watch !== null) clearInterval(this.#watch);
    }
}

/**
 * How many of the waiting jobs to send to a process now. A quick process is filled up to its share, but never with a few at a
 * time.
 */
function sizeFor(child: ProcessChild, share: number): number {
    if (!child.isQuick(QUIET_MS)) return child.hasRoom ? 1 : 0;
    const room = share - child.size;
    return 2 * room >= share ? room : 0;
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
    let resolve: (value: T) => void = () => {};
    const promise = new Promise<T>((r) => {
        resolve = r;
    });
    return { promise, resolve };
}

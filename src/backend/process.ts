import { type ChildProcess, fork } from 'node:child_process';
import type { ExecutorDescriptor } from '../model/executor-descriptor.js';
import type { Outcome, Served, Task, TaskLog } from '../model/task.js';
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
import type { FromProcess, Job, ToProcess } from './worker/messages.js';

export interface ProcessBackendOptions {
    /** Path of the worker's entry. */
    readonly entry: string;
    readonly descriptor: ExecutorDescriptor;
    /** Tasks at once. */
    readonly concurrency: number;
    /** Of these in one process, at most; absent: one. All of them fail where it dies, so they must run no code of others. */
    readonly tasksInProcess?: number;
    readonly onLog: (line: TaskLog) => void;
}

/** Forked processes, mostly one task each at a time. Survives whatever a task does to its process, native crashes too. */
export function createProcessBackend(options: ProcessBackendOptions): Backend {
    return new ProcessBackend(options);
}

/** A task that waits for a process or runs in one. */
interface ProcessJob extends Job {
    readonly host: TaskHost;
    /** The worker's answer, or what became of the task without one. */
    readonly settle: (answer: Served | Outcome, workerId: string) => void;
    aborted: boolean;
}

class ProcessBackend implements Backend {
    readonly #options: ProcessBackendOptions;
    /** Those that can take a task. */
    readonly #idle: Worker[] = [];
    readonly #all = new Set<Worker>();
    readonly #queue: ProcessJob[] = [];
    #concurrency: number;
    #nextKey = 0;
    #nextWorker = 1;

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
            settle: (answer, workerId) =>
                resolve(
                    'kind' in answer
                        ? makeUnservedCompletion(answer, workerId, startedAt)
                        : { ...answer, workerId },
                ),
        };
        this.#queue.push(job);
        this.#pump();
        return { completion: promise, abort: () => this.#abort(job) };
    }

    #abort(job: ProcessJob): void {
        job.aborted = true;
        const at = this.#queue.indexOf(job);
        if (at !== -1) {
            this.#queue.splice(at, 1);
            job.settle({ kind: 'abort' }, 'process');
            return;
        }
        for (const worker of this.#all) worker.abort(job);
    }

    #pump(): void {
        while (this.#queue.length > 0) {
            const worker = this.#idle.pop() ?? this.#spawn();
            if (worker === null) return;
            const job = this.#queue.shift();
            if (job === undefined) return;
            worker.run(job);
            // Others go first.
            if (worker.hasRoom) this.#idle.unshift(worker);
        }
    }

    /** Processes that are needed for the tasks at once. */
    get #most(): number {
        return Math.ceil(this.#concurrency / (this.#options.tasksInProcess ?? 1));
    }

    #spawn(): Worker | null {
        if (this.#all.size >= this.#most) return null;
        const worker = new Worker(this.#options, `process-${this.#nextWorker++}`, {
            free: () => {
                if (this.#all.size > this.#most && worker.isIdle) {
                    this.#leaveOut(worker);
                    void worker.end();
                } else if (!this.#idle.includes(worker)) this.#idle.push(worker);
                this.#pump();
            },
            gone: () => {
                this.#all.delete(worker);
                this.#leaveOut(worker);
                this.#pump();
            },
        });
        this.#all.add(worker);
        return worker;
    }

    #leaveOut(worker: Worker): void {
        const at = this.#idle.indexOf(worker);
        if (at !== -1) this.#idle.splice(at, 1);
    }

    resize(concurrency: number): void {
        this.#concurrency = concurrency;
        let surplus = this.#all.size - this.#most;
        for (const worker of this.#idle.filter(({ isIdle }) => isIdle)) {
            if (surplus-- <= 0) break;
            this.#leaveOut(worker);
            void worker.end();
        }
        this.#pump();
    }

    async close(): Promise<void> {
        for (const job of this.#queue.splice(0)) job.settle({ kind: 'abort' }, 'process');
        await Promise.all([...this.#all].map((worker) => worker.end()));
    }
}

class Worker {
    readonly #child: ChildProcess;
    readonly #exited: Promise<void>;
    readonly #jobs = new Map<string, ProcessJob>();
    readonly #tasksAtOnce: number;

    constructor(
        options: ProcessBackendOptions,
        readonly id: string,
        on: { readonly free: () => void; readonly gone: () => void },
    ) {
        this.#tasksAtOnce = options.tasksInProcess ?? 1;
        // Its own process group is not wanted: the life line (see backend/worker/process.ts) ends it, and Ctrl-C is ignored there.
        this.#child = fork(options.entry, [], {
            serialization: 'advanced',
            // What its tasks print goes to stderr: stdout belongs to the report, which may be JSON.
            stdio: ['ignore', 2, 'inherit', 'ipc'],
        });
        this.#child.on('message', (message) => {
            const answer = message as FromProcess;
            if (answer.type === 'log') {
                options.onLog(answer.line);
                return;
            }
            if (answer.type === 'call') {
                const host = this.#jobs.get(answer.key)?.host ?? null;
                void serveCall(answer, host).then((reply) => this.#send(reply));
                return;
            }
            const { key, served } = answer;
            const job = this.#jobs.get(key);
            if (job === undefined) return;
            this.#jobs.delete(key);
            job.settle(served, this.id);
            on.free();
        });
        this.#child.on('error', () => {});
        this.#exited = this.#end(on.gone);
        this.#send({ type: 'start', descriptor: options.descriptor });
    }

    /** Resolves when the process is gone and its last message was read ('close' never comes after a disconnect of ours). */
    async #end(gone: () => void): Promise<void> {
        const exited = new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve) => {
            this.#child.once('exit', (code, signal) => resolve([code, signal]));
        });
        const drained = new Promise((resolve) => this.#child.once('disconnect', resolve));
        const [code, signal] = await exited;
        await drained;
        this.#lost(code, signal);
        gone();
    }

    /** What cannot be sent needs no answer: the process is gone, which its exit reports. */
    #send(message: ToProcess): void {
        this.#child.send(message, () => {});
    }

    get hasRoom(): boolean {
        return this.#jobs.size < this.#tasksAtOnce;
    }

    get isIdle(): boolean {
        return this.#jobs.size === 0;
    }

    run(job: ProcessJob): void {
        this.#jobs.set(job.key, job);
        this.#send({ type: 'run', key: job.key, task: job.task });
    }

    /** Asks the process to end the job, and ends the process if it does not. */
    abort(job: ProcessJob): void {
        if (!this.#jobs.has(job.key)) return;
        if (this.#child.connected) this.#send({ type: 'abort', key: job.key });
        setTimeout(() => {
            if (this.#jobs.has(job.key)) this.#child.kill('SIGKILL');
        }, ABORT_PATIENCE_MS);
    }

    async end(): Promise<void> {
        for (const job of this.#jobs.values()) job.aborted = true;
        if (this.#child.connected) this.#child.disconnect();
        const killer = setTimeout(() => this.#child.kill('SIGKILL'), ABORT_PATIENCE_MS);
        await this.#exited;
        clearTimeout(killer);
    }

    #lost(code: number | null, signal: NodeJS.Signals | null): void {
        const how = signal === null ? `exit code ${code}` : signal;
        const message = `the worker process ended: ${how}`;
        const died = { kind: 'failure', failure: { reason: 'worker-died', message }, by: null } as const;
        const jobs = [...this.#jobs.values()];
        this.#jobs.clear();
        for (const job of jobs) job.settle(job.aborted ? { kind: 'abort' } : died, this.id);
    }
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
    let resolve: (value: T) => void = () => {};
    const promise = new Promise<T>((r) => {
        resolve = r;
    });
    return { promise, resolve };
}

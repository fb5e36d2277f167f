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
    readonly concurrency: number;
    readonly onLog: (line: TaskLog) => void;
}

/** Forked processes, one task each at a time. Survives whatever a task does to its process, native crashes too. */
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
        }
    }

    #spawn(): Worker | null {
        if (this.#all.size >= this.#concurrency) return null;
        const worker = new Worker(this.#options, `process-${this.#nextWorker++}`, {
            free: () => {
                if (this.#all.size > this.#concurrency) void worker.end();
                else this.#idle.push(worker);
                this.#pump();
            },
            gone: () => {
                this.#all.delete(worker);
                const at = this.#idle.indexOf(worker);
                if (at !== -1) this.#idle.splice(at, 1);
                this.#pump();
            },
        });
        this.#all.add(worker);
        return worker;
    }

    resize(concurrency: number): void {
        this.#concurrency = concurrency;
        while (this.#all.size > concurrency) {
            const worker = this.#idle.pop();
            if (worker === undefined) break;
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
    #job: ProcessJob | null = null;

    constructor(
        options: ProcessBackendOptions,
        readonly id: string,
        on: { readonly free: () => void; readonly gone: () => void },
    ) {
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
                const host = this.#job?.key === answer.key ? this.#job.host : null;
                void serveCall(answer, host).then((reply) => this.#send(reply));
                return;
            }
            const { key, served } = answer;
            const job = this.#job;
            if (job?.key !== key) return;
            this.#job = null;
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

    run(job: ProcessJob): void {
        this.#job = job;
        this.#send({ type: 'run', key: job.key, task: job.task });
    }

    /** Asks the process to end the job, and ends the process if it does not. */
    abort(job: ProcessJob): void {
        if (this.#job !== job) return;
        if (this.#child.connected) this.#send({ type: 'abort', key: job.key });
        setTimeout(() => {
            if (this.#job === job) this.#child.kill('SIGKILL');
        }, ABORT_PATIENCE_MS);
    }

    async end(): Promise<void> {
        if (this.#job !== null) this.#job.aborted = true;
        if (this.#child.connected) this.#child.disconnect();
        const killer = setTimeout(() => this.#child.kill('SIGKILL'), ABORT_PATIENCE_MS);
        await this.#exited;
        clearTimeout(killer);
    }

    #lost(code: number | null, signal: NodeJS.Signals | null): void {
        const job = this.#job;
        this.#job = null;
        if (job === null) return;
        const how = signal === null ? `exit code ${code}` : signal;
        job.settle(
            job.aborted
                ? { kind: 'abort' }
                : {
                      kind: 'failure',
                      failure: { reason: 'worker-died', message: `the worker process ended: ${how}` },
                      by: null,
                  },
            this.id,
        );
    }
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
    let resolve: (value: T) => void = () => {};
    const promise = new Promise<T>((r) => {
        resolve = r;
    });
    return { promise, resolve };
}

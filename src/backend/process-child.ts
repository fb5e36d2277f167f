import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutorDescriptor } from '../model/executor-descriptor.js';
import type { Outcome, Served, TaskLog } from '../model/task.js';
import { getMessage } from '../util/message.js';
import { ABORT_PATIENCE_MS, type TaskHost } from './backend.js';
import { serveCall } from './serve-call.js';
import { GATE_BYTES, readBegun, refuseJobs } from './worker/gate.js';
import type { FromProcess, Job, NumberedJob, ToProcess } from './worker/messages.js';

/** A task that waits for a process or runs in one. */
export interface ProcessJob extends Job {
    readonly host: TaskHost;
    /** Called with the process's answer, or with the outcome if there is no answer. */
    readonly settle: (answer: Served | Outcome, workerId: string) => void;
    aborted: boolean;
    /** Sequence number among the jobs sent to its process. */
    number: number;
}

export interface ProcessChildOptions {
    /** Path of the process's entry module. */
    readonly entry: string;
    readonly descriptor: ExecutorDescriptor;
    /** Tasks at once. */
    readonly tasksAtOnce: number;
    readonly onLog: (line: TaskLog) => void;
    /** Called when the process has room again. */
    readonly onAnswer: () => void;
    /** Called with jobs that the process has not begun and never will. */
    readonly onUnbegun: (jobs: readonly ProcessJob[]) => void;
    readonly onGone: () => void;
}

/** One forked process, and the jobs sent to it. */
export class ProcessChild {
    readonly #options: ProcessChildOptions;
    readonly #child: ChildProcess;
    readonly #exited: Promise<void>;
    /** In the order in which they were sent. */
    readonly #jobs = new Map<string, ProcessJob>();
    /** Descriptor of the file that decides which of several jobs begin, see worker/gate.ts; null: each job is sent alone. */
    #gate: number | null;
    #lastNumber = 0;
    #refusedUpTo = 0;
    #hasAnswered = false;
    /** When it last answered, or was sent a job while idle. */
    #quietSince = performance.now();

    constructor(
        readonly id: string,
        options: ProcessChildOptions,
    ) {
        this.#options = options;
        this.#gate = options.tasksAtOnce === 1 ? openGate() : null;
        // No process group of its own: the life line (see backend/worker/process.ts) ends it, and it ignores Ctrl-C.
        this.#child = fork(options.entry, [], {
            serialization: 'advanced',
            // Output of its tasks goes to stderr: stdout belongs to the report, which may be JSON. The gate gets descriptor
            // GATE_FD.
            stdio: ['ignore', 2, 'inherit', 'ipc', ...(this.#gate === null ? [] : [this.#gate])],
        });
        this.#child.on('message', (message) => this.#take(message as FromProcess));
        this.#child.on('error', () => {});
        this.#exited = this.#end();
        this.#send({ type: 'start', descriptor: options.descriptor });
    }

    #take(message: FromProcess): void {
        switch (message.type) {
            case 'log':
                this.#options.onLog(message.line);
                return;
            case 'call': {
                const host = this.#jobs.get(message.key)?.host ?? null;
                void serveCall(message, host).then((reply) => this.#send(reply));
                return;
            }
            case 'refused':
                this.#takeRefusal(message.key);
                return;
            case 'done':
                this.#hasAnswered = true;
                this.#quietSince = performance.now();
                for (const { key, served } of message.done) {
                    this.#jobs.get(key)?.settle(served, this.id);
                    this.#jobs.delete(key);
                }
                this.#options.onAnswer();
                return;
        }
    }

    /** The process tried to begin a job that had been taken back, or cannot use the gate. */
    #takeRefusal(key: string): void {
        const job = this.#jobs.get(key);
        if (job === undefined) return;
        this.#jobs.delete(key);
        if (job.number > this.#refusedUpTo) this.#closeGate();
        this.#options.onUnbegun([job]);
    }

    #closeGate(): void {
        if (this.#gate !== null) closeSync(this.#gate);
        this.#gate = null;
    }

    /** Resolves when the process is gone and its last message has been read ('close' is never emitted after we disconnect). */
    async #end(): Promise<void> {
        const exited = new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve) => {
            this.#child.once('exit', (code, signal) => resolve([code, signal]));
        });
        const drained = new Promise((resolve) => this.#child.once('disconnect', resolve));
        const [code, signal] = await exited;
        await drained;
        this.#lose(signal === null ? `exit code ${code}` : signal);
        this.#closeGate();
        this.#options.onGone();
    }

    /**
     * Ignores errors of sending: the process is gone then, and its exit is reported. @throws Error if the message cannot be
     * serialized
     */
    #send(message: ToProcess): void {
        this.#child.send(message, () => {});
    }

    get isIdle(): boolean {
        return this.#jobs.size === 0;
    }

    get size(): number {
        return this.#jobs.size;
    }

    /** Whether jobs wait for their turn in the process and may be taken back. */
    get hasWaiting(): boolean {
        return this.#gate !== null && this.#jobs.size > 1;
    }

    get hasRoom(): boolean {
        return this.#jobs.size < this.#options.tasksAtOnce;
    }

    /**
     * Whether the process answers often enough to be sent jobs ahead. @param quietMs milliseconds without an answer after which
     * it does not
     */
    isQuick(quietMs: number): boolean {
        return this.#gate !== null && this.#hasAnswered && !this.isQuiet(quietMs);
    }

    /** Whether it has work and has not answered for `quietMs` milliseconds. */
    isQuiet(quietMs: number): boolean {
        return !this.isIdle && performance.now() - this.#quietSince > quietMs;
    }

    run(jobs: readonly ProcessJob[]): void {
        if (this.isIdle) this.#quietSince = performance.now();
        for (const job of jobs) {
            job.number = ++this.#lastNumber;
            this.#jobs.set(job.key, job);
        }
        try {
            this.#sendJobs(jobs);
        } catch (error) {
            if (jobs.length > 1) for (const job of jobs) this.run([job]);
            else this.#giveUp(jobs[0], error);
        }
    }

    #sendJobs(jobs: readonly ProcessJob[]): void {
        if (this.#gate === null) {
            for (const { key, task } of jobs) this.#send({ type: 'run', key, task });
            return;
        }
        const numbered = jobs.map(({ key, task, number }): NumberedJob => ({ key, task, number }));
        this.#send({ type: 'run-in-turn', jobs: numbered });
    }

    #giveUp(job: ProcessJob | undefined, error: unknown): void {
        if (job === undefined) return;
        this.#jobs.delete(job.key);
        const message = `could not send the task to a worker process: ${getMessage(error)}`;
        job.settle({ kind: 'failure', failure: { reason: 'environment', message }, by: null }, this.id);
        // Deferred, because the sender of the job is still running.
        setImmediate(this.#options.onAnswer);
    }

    /** Takes back the jobs that the process has not begun; it will never begin them. */
    takeBack(): readonly ProcessJob[] {
        if (this.#gate === null) return [];
        let begun: number;
        try {
            begun = refuseJobs(this.#gate, this.#lastNumber);
        } catch {
            return [];
        }
        this.#refusedUpTo = this.#lastNumber;
        const unbegun = [...this.#jobs.values()].filter(({ number }) => number > begun);
        for (const { key } of unbegun) this.#jobs.delete(key);
        return unbegun;
    }

    has(job: ProcessJob): boolean {
        return this.#jobs.has(job.key);
    }

    /** Asks the process to end the job, and ends the process if it does not. */
    abort(job: ProcessJob): void {
        if (!this.has(job)) return;
        if (this.#child.connected) this.#send({ type: 'abort', key: job.key });
        setTimeout(() => {
            if (this.has(job)) this.#child.kill('SIGKILL');
        }, ABORT_PATIENCE_MS);
    }

    async end(): Promise<void> {
        for (const job of this.#jobs.values()) job.aborted = true;
        if (this.#child.connected) this.#child.disconnect();
        const killer = setTimeout(() => this.#child.kill('SIGKILL'), ABORT_PATIENCE_MS);
        await this.#exited;
        clearTimeout(killer);
    }

    #lose(how: string): void {
        const message = `the worker process ended: ${how}`;
        const died = { kind: 'failure', failure: { reason: 'worker-died', message }, by: null } as const;
        const jobs = [...this.#jobs.values()];
        this.#jobs.clear();
        const blamed = this.#findBlamed(jobs);
        const others: ProcessJob[] = [];
        for (const job of jobs) {
            if (job.aborted) job.settle({ kind: 'abort' }, this.id);
            else if (blamed.has(job)) job.settle(died, this.id);
            else others.push(job);
        }
        this.#options.onUnbegun(others);
    }

    /**
     * The jobs to blame when the process died: those that were running. If jobs take turns, that is the last one begun; the
     * results of earlier ones were lost on their way. At least one is always blamed, so that a process which dies at start-up is
     * not restarted forever.
     */
    #findBlamed(jobs: readonly ProcessJob[]): ReadonlySet<ProcessJob> {
        if (this.#gate === null) return new Set(jobs);
        let begun = 0;
        try {
            begun = readBegun(this.#gate);
        } catch {
            // Blame the first one.
        }
        const running = jobs.find(({ number }) => number === begun) ?? jobs[0];
        return new Set(running === undefined ? [] : [running]);
    }
}

/** @returns null if there is no space for the file */
function openGate(): number | null {
    const path = join(tmpdir(), `resume-run-${randomUUID()}`);
    try {
        const gate = openSync(path, 'wx+', 0o600);
        unlinkSync(path);
        writeSync(gate, new Uint8Array(GATE_BYTES));
        return gate;
    } catch {
        return null;
    }
}

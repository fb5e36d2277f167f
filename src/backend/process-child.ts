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
    /** The process's answer, or what became of the task without one. */
    readonly settle: (answer: Served | Outcome, workerId: string) => void;
    aborted: boolean;
    /** Of the jobs that its process was sent. */
    number: number;
}

export interface ProcessChildOptions {
    /** Path of its entry. */
    readonly entry: string;
    readonly descriptor: ExecutorDescriptor;
    /** Tasks at once. */
    readonly tasksAtOnce: number;
    readonly onLog: (line: TaskLog) => void;
    /** It has room again. */
    readonly onAnswer: () => void;
    /** It has not begun these, and never will. */
    readonly onUnbegun: (jobs: readonly ProcessJob[]) => void;
    readonly onGone: () => void;
}

/** One forked process, and the jobs that it was sent. */
export class ProcessChild {
    readonly #options: ProcessChildOptions;
    readonly #child: ChildProcess;
    readonly #exited: Promise<void>;
    /** In the order in which they were sent. */
    readonly #jobs = new Map<string, ProcessJob>();
    /** Decides which of several jobs begin, see worker/gate.ts; null: each job is sent alone. */
    #gate: number | null;
    #lastNumber = 0;
    #refusedUpTo = 0;
    #hasAnswered = false;
    /** When it last answered, or was sent a job while it had none. */
    #quietSince = performance.now();

    constructor(
        readonly id: string,
        options: ProcessChildOptions,
    ) {
        this.#options = options;
        this.#gate = options.tasksAtOnce === 1 ? openGate() : null;
        // Its own process group is not wanted: the life line (see backend/worker/process.ts) ends it, and Ctrl-C is ignored there.
        this.#child = fork(options.entry, [], {
            serialization: 'advanced',
            // What its tasks print goes to stderr: stdout belongs to the report, which may be JSON.
            // The gate is number GATE_FD.
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

    /** It would have begun a job while that was taken back, or cannot use the gate. */
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

    /** Resolves when the process is gone and its last message was read ('close' never comes after a disconnect of ours). */
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

    /** What cannot be sent needs no answer: the process is gone, which its exit reports. @throws Error if it cannot be serialized */
    #send(message: ToProcess): void {
        this.#child.send(message, () => {});
    }

    get isIdle(): boolean {
        return this.#jobs.size === 0;
    }

    get size(): number {
        return this.#jobs.size;
    }

    /** Whether jobs wait for their turn in it, and may be taken back. */
    get hasWaiting(): boolean {
        return this.#gate !== null && this.#jobs.size > 1;
    }

    get hasRoom(): boolean {
        return this.#jobs.size < this.#options.tasksAtOnce;
    }

    /** Whether it answers often enough for jobs to be sent ahead. @param quietMs milliseconds without an answer after which it does not */
    isQuick(quietMs: number): boolean {
        return this.#gate !== null && this.#hasAnswered && !this.isQuiet(quietMs);
    }

    /** Whether it has work and has not answered for so long. */
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
        const message = `the task cannot be sent to a process: ${getMessage(error)}`;
        job.settle({ kind: 'failure', failure: { reason: 'environment', message }, by: null }, this.id);
        // Not now: whoever sent the job is still at it.
        setImmediate(this.#options.onAnswer);
    }

    /** Takes the jobs back that it has not begun; it never will. */
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
     * The jobs that ran when the process died. Of those that take turns it is the last one that was begun: results of the ones before it
     * were lost on their way. One is blamed in any case, so that a process that dies at its start is not started for ever.
     */
    #findBlamed(jobs: readonly ProcessJob[]): ReadonlySet<ProcessJob> {
        if (this.#gate === null) return new Set(jobs);
        let begun = 0;
        try {
            begun = readBegun(this.#gate);
        } catch {
            // The first is blamed.
        }
        const running = jobs.find(({ number }) => number === begun) ?? jobs[0];
        return new Set(running === undefined ? [] : [running]);
    }
}

/** @returns null where the machine has no room for it */
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

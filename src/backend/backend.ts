import type { JsonObject } from '../model/json.js';
import type { Outcome, Served, Task, TaskStep } from '../model/task.js';

/** Where executors run. The run loop owns how many tasks are in flight; a backend runs each one it is given. */
export interface Backend {
    /** Starts one task. @param host what serves it while it runs; absent: steps are kept nowhere */
    start(task: Task, host?: TaskHost): Running;
    /** Changes how many tasks it can run at once. */
    resize(concurrency: number): void;
    /** Ends all workers; nothing is left running. Tasks still running complete as `abort`. */
    close(): Promise<void>;
}

/** What a task needs of whoever started it while it runs. */
export interface TaskHost {
    /** Writes a step down; resolves when it is on disk. */
    saveStep(step: TaskStep): Promise<void>;
    /** Answers what a task asks of its executor's part in the main process; absent: there is none. */
    ask?(request: JsonObject): Promise<JsonObject | null>;
    /** Hears what a worker says that has lost the task, or says it after the task's end: nothing is granted, what was spent counts. */
    hearLate?(request: JsonObject): void;
    /** Takes back what the task was given: the worker that had it is gone, and another one may get it. */
    takeBack?(): void;
}

/** For those who keep nothing of a task but its result. */
export const KEEPS_NO_STEPS: TaskHost = { saveStep: () => Promise.resolve() };

/** A task in the hands of a backend. */
export interface Running {
    /** Never rejects: a worker that dies, hangs or throws is a failure of its task alone. */
    readonly completion: Promise<Completion>;
    /**
     * Asks the task to end at once; if it does not, its worker is ended. The completion is then `{kind: 'abort'}`,
     * unless it was finished before.
     */
    abort(): void;
    /**
     * Takes the task back if it has not begun; the completion is then `{kind: 'abort'}`. One that has begun goes on. Absent: every task
     * begins as soon as it is started.
     */
    withdraw?(): void;
    /**
     * Says that what the task came to is on disk, or not wanted. Called once, after the completion; a backend that keeps results
     * somewhere until then lets go of this one.
     */
    release?(): void;
}

export interface Completion extends Served {
    /** `thread-3`, `process-1`, `async`. */
    readonly workerId: string;
}

/** A completion that no worker measured: it died, or never started. */
export function makeUnservedCompletion(outcome: Outcome, workerId: string, startedAt: number): Completion {
    return { outcome, workerId, startedAt, duration: (Date.now() - startedAt) / 1000 };
}

/** Milliseconds a worker gets to end a task it was asked to end, before the worker itself is ended. */
export const ABORT_PATIENCE_MS = 2000;

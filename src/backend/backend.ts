import type { JsonObject } from '../model/json.js';
import type { Outcome, Served, Task, TaskStep } from '../model/task.js';

/** Where executors run. The run loop decides how many tasks are in flight; a backend runs each one it is given. */
export interface Backend {
    /** Starts one task. @param host serves it while it runs; without a host, steps are not saved */
    start(task: Task, host?: TaskHost): Running;
    /** Changes the number of tasks it can run at once. */
    resize(concurrency: number): void;
    /** Ends all workers, so that nothing is left running. Tasks still running complete as `abort`. */
    close(): Promise<void>;
}

/** Services that a running task needs from its starter. */
export interface TaskHost {
    /** Saves a step; resolves when it is on disk. */
    saveStep(step: TaskStep): Promise<void>;
    /** Passes a request of the task to its executor's part in the main process; absent if there is none. */
    ask?(request: JsonObject): Promise<JsonObject | null>;
    /** Receives what a worker says after it has lost the task or the task has ended. Nothing is granted, but spending counts. */
    hearLate?(request: JsonObject): void;
    /** Takes back what the task was given: the worker that had the task is gone, and another one may get it. */
    takeBack?(): void;
}

/** For callers that keep only the result of a task. */
export const KEEPS_NO_STEPS: TaskHost = { saveStep: () => Promise.resolve() };

/** A task handed to a backend. */
export interface Running {
    /** Never rejects: a worker that dies, hangs or throws counts as a failure of its task only. */
    readonly completion: Promise<Completion>;
    /**
     * Asks the task to end at once; if it does not, its worker is ended. The completion is then `{kind: 'abort'}`, unless the
     * task finished before.
     */
    abort(): void;
    /**
     * Withdraws the task if it has not begun; the completion is then `{kind: 'abort'}`. A task that has begun continues. Absent
     * if tasks begin as soon as they are started.
     */
    withdraw?(): void;
    /**
     * Says that the outcome of the task is on disk, or not wanted. Called once, after the completion; a backend that keeps
     * results somewhere until then drops this one.
     */
    release?(): void;
}

export interface Completion extends Served {
    /** `thread-3`, `process-1`, `async`. */
    readonly workerId: string;
}

/** Builds the completion of a task that no worker measured, because it died or never started. */
export function makeUnservedCompletion(outcome: Outcome, workerId: string, startedAt: number): Completion {
    return { outcome, workerId, startedAt, duration: (Date.now() - startedAt) / 1000 };
}

/** Milliseconds that a worker has to end a task on request, before the worker itself is ended. */
export const ABORT_PATIENCE_MS = 2000;

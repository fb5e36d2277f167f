import type { JsonObject } from '../model/json.js';
import type { TaskSpan } from '../model/span.js';
import type { Outcome, Task } from '../model/task.js';

/**
 * Runs one task. It never throws because of a program and never reports a broken sandbox as a verdict: every expected problem has
 * its place in `Outcome`. An exception is a bug in resume-run and becomes a failure of the task.
 */
export interface Executor {
    run(task: Task, context: ExecutorContext): Promise<Outcome>;
    /** Ends everything that it started: helpers, sockets, scratch files. */
    close(): Promise<void>;
}

export interface ExecutorContext {
    /** Aborted when the run stops and the grace period is over: return `{kind: 'abort'}` at once and leave nothing running. */
    readonly signal: AbortSignal;
    /** Writes a line to the run's log (debug level). */
    readonly log: (message: string) => void;
    /**
     * Saves a step of a task that has several; resolves when it is on disk. Later attempts, even after a kill, find its value in
     * `task.steps` under this name. Absent if only results are stored.
     */
    readonly saveStep?: (name: string, value: JsonObject) => Promise<void>;
    /** Reports a finished part of the attempt to the run's trace; absent if the run is not traced. */
    readonly span?: ((span: Omit<TaskSpan, 'parent'>) => void) | undefined;
    /**
     * For executors over endpoints, in a worker: asks the executor's part in the main process, which holds what all workers
     * share. Absent in the main process itself.
     */
    readonly ask?: ((request: JsonObject) => Promise<JsonObject | null>) | undefined;
}

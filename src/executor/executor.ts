import type { JsonObject } from '../model/json.js';
import type { TaskSpan } from '../model/span.js';
import type { Outcome, Task } from '../model/task.js';

/**
 * Runs one task. It never throws for a program's own fault and never calls a broken sandbox a verdict: what can go wrong
 * is in `Outcome`. An exception is a bug of ours and becomes a failure of the task.
 */
export interface Executor {
    run(task: Task, context: ExecutorContext): Promise<Outcome>;
    /** Ends whatever it started: helpers, sockets, scratch files. */
    close(): Promise<void>;
}

export interface ExecutorContext {
    /** Aborted when the run stops and the grace is over: return `{kind: 'abort'}` at once, leave nothing running. */
    readonly signal: AbortSignal;
    /** A line for the run's log (debug level). */
    readonly log: (message: string) => void;
    /**
     * Writes down a step of a task that takes several; resolves when it is on disk. Later attempts, after a kill too, find
     * its value in `task.steps` under this name. Absent where nothing is kept but results.
     */
    readonly saveStep?: (name: string, value: JsonObject) => Promise<void>;
    /** Tells a finished part of the attempt to the run's trace; absent where the run is not traced. */
    readonly span?: ((span: Omit<TaskSpan, 'parent'>) => void) | undefined;
    /**
     * In a worker, of executors over endpoints: asks the executor's part in the main process, which holds what all workers
     * share. Absent in the main process itself.
     */
    readonly ask?: ((request: JsonObject) => Promise<JsonObject | null>) | undefined;
}

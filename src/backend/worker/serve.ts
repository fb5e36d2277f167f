import type { Executor, ExecutorContext } from '../../executor/executor.js';
import { WriteError } from '../../host/write-error.js';
import type { JsonObject } from '../../model/json.js';
import type { Served, Task, TaskLog, TaskStep } from '../../model/task.js';

/** Hands a step on; resolves when it is on disk. */
type SaveStep = (step: TaskStep) => Promise<void>;

/** What a task has of the main process. */
export interface MainProcess {
    readonly saveStep: SaveStep;
    /** Absent in the main process itself. */
    readonly ask?: (request: JsonObject) => Promise<JsonObject | null>;
}

/**
 * The worker's side of every backend: runs tasks by one executor, and turns what it throws into failures. One instance a thread, a
 * forked process, or the main process itself (`async`).
 */
export class TaskServer {
    readonly #executor: Promise<Executor>;
    /** What the promise came to: tiny tasks are many, and each wait for it would be a turn of its own. */
    #built: Executor | null = null;
    /** Tasks running now, by key, so that each can be aborted by itself. */
    readonly #running = new Map<string, Abortable>();

    /** @param executor or its promise: where it cannot be built, each task fails by the reason */
    constructor(
        executor: Executor | Promise<Executor>,
        readonly log: (line: TaskLog) => void = () => {},
    ) {
        this.#executor = Promise.resolve(executor);
        this.#executor.then(
            (built) => (this.#built = built),
            // Reported by the first task that awaits it; without this line it would end the process before.
            () => {},
        );
    }

    /** Resolves when the executor is built, or cannot be. */
    async ready(): Promise<void> {
        await this.#executor.catch(() => {});
    }

    async run(key: string, task: Task, main: MainProcess): Promise<Served> {
        const startedAt = Date.now();
        const started = performance.now();
        const context = new Abortable(task, this.log, main);
        this.#running.set(key, context);
        let outcome: Served['outcome'];
        try {
            const executor = this.#built ?? (await this.#executor);
            outcome = await executor.run(task, context);
        } catch (error) {
            outcome = describeError(error);
        }
        this.#running.delete(key);
        return { outcome, startedAt, duration: (performance.now() - started) / 1000 };
    }

    abort(key: string): void {
        this.#running.get(key)?.abort();
    }

    async close(): Promise<void> {
        for (const context of this.#running.values()) context.abort();
        const executor = await this.#executor.catch(() => null);
        await executor?.close();
    }
}

function describeError(error: unknown): Served['outcome'] {
    if (error instanceof WriteError) return { kind: 'unwritable', file: error.file, why: error.why };
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { kind: 'failure', failure: { reason: 'worker-died', message }, by: null };
}

/** Characters of a line of log: more belongs into the result. */
const LONGEST_LINE = 16_384;

/** An executor's context. The signal is made when somebody asks for it: most tiny tasks never do. */
class Abortable implements ExecutorContext {
    #controller: AbortController | null = null;
    #aborted = false;

    constructor(
        readonly task: Task,
        readonly onLine: (line: TaskLog) => void,
        readonly main: MainProcess,
    ) {}

    get ask(): NonNullable<ExecutorContext['ask']> | undefined {
        return this.main.ask;
    }

    /** As a function of its own: modules take it out of its object. */
    get log(): (message: string) => void {
        const { sample, group, index, attempt } = this.task;
        return (message) => {
            this.onLine({ sample, group, index, attempt, message: message.slice(0, LONGEST_LINE) });
        };
    }

    get span(): ExecutorContext['span'] {
        const { sample, group, index, attempt, traceparent } = this.task;
        if (traceparent === undefined) return undefined;
        return (span) => {
            const message = span.name;
            this.onLine({ sample, group, index, attempt, message, span: { ...span, parent: traceparent } });
        };
    }

    /** As a function of its own, too. */
    get saveStep(): (name: string, value: JsonObject) => Promise<void> {
        return (name, value) => this.main.saveStep({ name, value });
    }

    get signal(): AbortSignal {
        if (this.#controller === null) {
            this.#controller = new AbortController();
            if (this.#aborted) this.#controller.abort();
        }
        return this.#controller.signal;
    }

    abort(): void {
        this.#aborted = true;
        this.#controller?.abort();
    }
}

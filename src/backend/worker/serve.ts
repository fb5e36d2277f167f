import type { Executor, ExecutorContext } from '../../executor/executor.js';
import { WriteError } from '../../host/write-error.js';
import type { JsonObject } from '../../model/json.js';
import type { Served, Task, TaskLog, TaskStep } from '../../model/task.js';

/** Passes a step on; resolves when it is on disk. */
type SaveStep = (step: TaskStep) => Promise<void>;

/** What a task can use of the main process. */
export interface MainProcess {
    readonly saveStep: SaveStep;
    /** Absent in the main process itself. */
    readonly ask?: (request: JsonObject) => Promise<JsonObject | null>;
}

/**
 * The worker's side of every backend: runs tasks with one executor, and turns what it throws into failures. There is one instance
 * per thread, per forked process, or in the main process itself (`async`).
 */
export class TaskServer {
    readonly #executor: Promise<Executor>;
    /** The resolved value of the promise: awaiting it for each of many tiny tasks would cost a turn each. */
    #built: Executor | null = null;
    /** Running tasks by key, so that each can be aborted separately. */
    readonly #running = new Map<string, Abortable>();

    /** @param executor the executor or its promise; if it rejects, each task fails with that reason */
    constructor(
        executor: Executor | Promise<Executor>,
        readonly log: (line: TaskLog) => void = () => {},
    ) {
        this.#executor = Promise.resolve(executor);
        this.#executor.then(
            (built) => (this.#built = built),
            // The first task that awaits it reports the error; without this handler the process would end before that.
            () => {},
        );
    }

    /** Resolves when the executor has been built, or that has failed. */
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

/** Maximum characters of a log line: anything longer belongs in the result. */
const MAX_LINE_LENGTH = 16_384;

/** An executor's context. The signal is created on demand: most tiny tasks never use it. */
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

    /** A standalone function, because modules destructure it from its object. */
    get log(): (message: string) => void {
        const { sample, group, index, attempt } = this.task;
        return (message) => {
            this.onLine({ sample, group, index, attempt, message: message.slice(0, MAX_LINE_LENGTH) });
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

    /** A standalone function, too. */
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

import type { Json, JsonObject } from '../model/json.js';
import type { FunctionDescriptor } from './function-kind.js';
import { executeModule, type ModuleContext, type ModuleTask } from './module.js';
import type { ServerExecutor } from './servers/server-executor.js';

/** Argument of a program's function, beside the input of a task. */
export interface TaskContext extends ModuleContext {
    /** Id of the sample. */
    readonly id: string;
    readonly group: string;
    readonly index: number;
    /** The input as JSON text, with numbers as the dataset writes them: a double would change 9007199254740993 and 1e400. */
    readonly inputText: string;
}

/**
 * A task as a function: receives the row (or the task's JSON) and returns an object, which is stored whole as `result`. An
 * exception is a failure: the task is retried and finally listed as failed. The error may carry `retryAfter` (seconds) or `retry:
 * false`.
 */
export type TaskFunction<Input = Json> = (
    input: Input,
    context: TaskContext,
) => Promise<JsonObject> | JsonObject;

/** Runs tasks with a function of this process. */
export function createFunctionExecutor(call: TaskFunction, { timeout }: FunctionDescriptor): ServerExecutor {
    return {
        ...executeModule((task, context) => call(task.input, new GivenTaskContext(task, context)), timeout),
        endpoints: () => [],
        concurrency: () => 1,
    };
}

/** Uses getters, so that costly values are computed only on use. */
class GivenTaskContext implements TaskContext {
    readonly #task: ModuleTask;
    readonly #context: ModuleContext;
    readonly id: string;
    readonly group: string;
    readonly index: number;

    constructor(task: ModuleTask, context: ModuleContext) {
        this.#task = task;
        this.#context = context;
        ({ id: this.id, group: this.group, index: this.index } = task);
    }

    get inputText(): string {
        return this.#task.inputText;
    }

    get signal(): AbortSignal {
        return this.#context.signal;
    }

    get attempt(): number {
        return this.#context.attempt;
    }

    get log(): ModuleContext['log'] {
        return this.#context.log;
    }

    get steps(): JsonObject {
        return this.#context.steps;
    }

    get saveStep(): ModuleContext['saveStep'] {
        return this.#context.saveStep;
    }
}

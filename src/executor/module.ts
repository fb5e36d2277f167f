import { pathToFileURL } from 'node:url';
import { type Json, type JsonObject, isJsonObject } from '../model/json.js';
import type { Failure } from '../model/failure.js';
import type { Outcome, Task } from '../model/task.js';
import { isVerdict, VERDICTS } from '../model/verdict.js';
import { callForeign, ForeignCall } from '../util/foreign-code.js';
import { getMessage } from '../util/message.js';
import { isNestedDeeper, MAX_NESTING } from '../util/nesting.js';
import type { ModuleDescriptor } from './module-kind.js';
import type { Executor, ExecutorContext } from './executor.js';
import { getInput, getInputText } from './task-input.js';
import { checkRegularFile } from '../util/regular-file.js';

/** Argument of a module's function: one task. */
export interface ModuleTask {
    readonly id: string;
    readonly group: string;
    readonly index: number;
    /** The task's JSON; `{language, files}` for programs. */
    readonly input: Json;
    /** `input` as JSON text, with numbers as the dataset writes them: a double would change 9007199254740993 and 1e400. */
    readonly inputText: string;
}

export interface ModuleContext {
    /** Aborted when the run stops or the task's time is up. */
    readonly signal: AbortSignal;
    /** 1 for the first attempt. */
    readonly attempt: number;
    readonly log: (message: string) => void;
    /** Steps that earlier attempts saved with `saveStep`, by name; they survive a kill. */
    readonly steps: JsonObject;
    /** Saves a step of the task, such as a paid answer; resolves when it is on disk. */
    readonly saveStep: (name: string, value: JsonObject) => Promise<void>;
}

/** The function named by `--module file#export`. The object that it returns is stored whole in `result`. */
export type ModuleFunction = (task: ModuleTask, context: ModuleContext) => Promise<JsonObject> | JsonObject;

/** Largest result of a module in bytes of JSON. */
export const MAX_RESULT_BYTES = 16 * 1024 * 1024;

const BY = { api_used: 'local' } as const;

/** @throws Error if the module cannot be loaded or has no such export */
export async function createModule(descriptor: ModuleDescriptor): Promise<Executor> {
    checkRegularFile(descriptor.file);
    const loaded = (await import(pathToFileURL(descriptor.file).href)) as Record<string, unknown>;
    const exported = loaded[descriptor.exportName];
    if (typeof exported !== 'function') {
        throw new Error(`${descriptor.file} exports no function named ${descriptor.exportName}`);
    }
    return executeModule(exported as ModuleFunction, descriptor.timeout);
}

/** @param timeout time limit of the function per task, in seconds */
export function executeModule(call: ModuleFunction, timeout: number): Executor {
    return {
        run: (task, context) => runModule(call, task, context, timeout),
        close: async () => {},
    };
}

async function runModule(
    call: ModuleFunction,
    task: Task,
    context: ExecutorContext,
    timeout: number,
): Promise<Outcome> {
    const input: ModuleTask = {
        id: task.sample,
        group: task.group,
        index: task.index,
        input: getInput(task),
        // Computed on use, since few modules need it.
        get inputText() {
            return getInputText(task);
        },
    };
    const given = new GivenContext(context, task);
    const foreign = new ForeignCall();
    let clock: NodeJS.Timeout | undefined;
    try {
        const answer = callForeign(foreign, () => call(input, given));
        // A synchronous answer needs no timer.
        if (!(answer instanceof Promise)) {
            await nextTurn();
            return describeStrayError(foreign) ?? toOutcome(answer);
        }
        const ended = new Promise<'abort' | 'timeout' | 'stray'>((resolve) => {
            clock = setTimeout(() => resolve('timeout'), timeout * 1000);
            context.signal.addEventListener('abort', () => resolve('abort'), { once: true });
            foreign.onStray(() => resolve('stray'));
        });
        const first = await Promise.race([answer, ended]);
        // A module that reacts to its signal returns something, but it is not the task's result.
        if (first === 'abort' || context.signal.aborted) return { kind: 'abort' };
        if (first === 'timeout') {
            given.abort();
            const message = `no answer within ${timeout} s`;
            return { kind: 'failure', failure: { reason: 'no-answer', message, after: timeout }, by: BY };
        }
        await nextTurn();
        return describeStrayError(foreign) ?? toOutcome(first);
    } catch (error) {
        if (context.signal.aborted) return { kind: 'abort' };
        return { kind: 'failure', failure: describeThrown(error), by: BY };
    } finally {
        clearTimeout(clock);
    }
}

/** An unhandled rejection surfaces on the next turn of the event loop, so only then is a call known to have none. */
const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

function describeStrayError(call: ForeignCall): Outcome | null {
    if (call.stray === null) return null;
    const message = `unhandled error in the task: ${getMessage(call.stray.error)}`;
    return { kind: 'failure', failure: { ...describeThrown(call.stray.error), message }, by: BY };
}

/** The context passed to a module. Its signal is created on use. */
class GivenContext implements ModuleContext {
    readonly #context: ExecutorContext;
    #timeout: AbortController | null = null;
    #signal: AbortSignal | null = null;

    readonly attempt: number;
    readonly steps: JsonObject;

    constructor(context: ExecutorContext, { attempt, steps = {} }: Task) {
        this.#context = context;
        this.attempt = attempt;
        this.steps = steps;
    }

    get saveStep(): (name: string, value: JsonObject) => Promise<void> {
        return async (name, value) => {
            const step = JSON.parse(JSON.stringify(value)) as JsonObject;
            if (isNestedDeeper(step, MAX_NESTING))
                throw new Error(`the step ${name} is nested more than ${MAX_NESTING} levels deep`);
            await this.#context.saveStep?.(name, step);
        };
    }

    get signal(): AbortSignal {
        if (this.#signal === null) {
            this.#timeout = new AbortController();
            this.#signal = AbortSignal.any([this.#context.signal, this.#timeout.signal]);
        }
        return this.#signal;
    }

    get log(): (message: string) => void {
        // Modules are often plain JavaScript: logging a number or an error must not fail the task.
        return (message: unknown) => this.#context.log(String(message));
    }

    abort(): void {
        this.#timeout?.abort();
    }
}

/** Longest wait that an error may request, in seconds: a day. */
const MAX_RETRY_AFTER_S = 86_400;

/** Describes what a function threw. `retryAfter` (seconds) and `retry: false` on the error control retries. */
function describeThrown(error: unknown): Extract<Failure, { reason: 'task-threw' }> {
    const told: { readonly retryAfter?: unknown; readonly retry?: unknown } =
        typeof error === 'object' && error !== null ? error : {};
    const after = typeof told.retryAfter === 'number' && told.retryAfter >= 0 ? told.retryAfter : null;
    return {
        reason: 'task-threw',
        message: getMessage(error),
        ...(after === null ? {} : { retryAfter: Math.min(after, MAX_RETRY_AFTER_S) }),
        ...(told.retry === false ? { retry: false } : {}),
    };
}

function toOutcome(answer: unknown): Outcome {
    if (!isJsonObject(answer)) {
        const got = answer === null ? 'null' : Array.isArray(answer) ? 'a list' : typeof answer;
        return refused(`expected the function to return a JSON object, got ${got}`);
    }
    // One pass through JSON: the stored value is what readers will see, and its size is known.
    const text = JSON.stringify(answer);
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_RESULT_BYTES) {
        const message = `the result is ${bytes} bytes of JSON; at most ${MAX_RESULT_BYTES} are stored`;
        return { kind: 'failure', failure: { reason: 'result-too-large', message, bytes }, by: BY };
    }
    const stored: unknown = JSON.parse(text);
    if (!isJsonObject(stored))
        return refused('expected the function to return a JSON object, got one whose toJSON gives none');
    if (isNestedDeeper(stored, MAX_NESTING))
        return refused(`the result is nested more than ${MAX_NESTING} levels deep`);
    return readVerdict(stored);
}

/** The object is stored whole, so its `accepted` and `verdict` must have the meaning that they have in result files. */
function readVerdict(stored: JsonObject): Outcome {
    const { accepted: said, verdict: named } = stored;
    if (said !== undefined && typeof said !== 'boolean') {
        return refused(
            `expected "accepted" of the result to be true or false, got ${JSON.stringify(said).slice(0, 100)}`,
        );
    }
    if (named !== undefined && !isVerdict(named)) {
        const got = JSON.stringify(named).slice(0, 100);
        return refused(
            `expected "verdict" of the result to be one of ${VERDICTS.join(', ')}, or absent; got ${got}`,
        );
    }
    const accepted = said ?? (named === undefined || named === 'Accepted');
    const verdict = named ?? (accepted ? 'Accepted' : 'WrongAnswer');
    if (accepted !== (verdict === 'Accepted')) {
        return refused(
            `the result contradicts itself: "accepted" is ${accepted} and "verdict" is ${verdict}`,
        );
    }
    return { kind: 'verdict', verdict, result: { ...stored, accepted, verdict }, suspect: null, by: BY };
}

function refused(message: string): Outcome {
    return { kind: 'failure', failure: { reason: 'task-threw', message }, by: BY };
}

import type { TaskFunction } from '../executor/function.js';
import { UserError } from '../util/user-error.js';
import type { RowSource } from './spool-rows.js';

/** The settings of a program, split into their parts. */
interface Settings {
    readonly paths: readonly string[];
    /** Null: the datasets are files. */
    readonly rows: RowSource | null;
    readonly command: readonly string[];
    readonly task: TaskFunction | undefined;
    readonly signal: AbortSignal | undefined;
    readonly options: Readonly<Record<string, unknown>>;
}

/**
 * Splits the settings of `open` into their parts. Programs without types can pass anything.
 * @throws UserError that names the setting
 */
export function readSettings(settings: unknown): Settings {
    if (typeof settings !== 'object' || settings === null)
        throw new UserError(`open() takes an object of settings, got ${nameType(settings)}`);
    const { datasets, command, task, signal, ...options } = settings as Readonly<Record<string, unknown>>;
    if (task !== undefined && typeof task !== 'function')
        throw new UserError(`task: expected a function, got ${nameType(task)}`);
    if (signal !== undefined && !(signal instanceof AbortSignal))
        throw new UserError(`signal: expected an AbortSignal, got ${nameType(signal)}`);
    if (command !== undefined && !isTexts(command))
        throw new UserError(`command: expected a list of words, got ${nameType(command)}`);
    const executor = options['executor'] ?? 'function';
    if (task !== undefined && executor !== 'function')
        throw new UserError(
            `executor: ${JSON.stringify(executor)} does not call \`task\`: leave one of them out`,
        );
    return {
        ...readDatasets(datasets),
        command: command ?? [],
        // Only the caller knows the type of the rows, which are the task's input.
        task: task as TaskFunction | undefined,
        signal,
        options: task === undefined ? options : { ...options, executor: 'function' },
    };
}

function readDatasets(datasets: unknown): Pick<Settings, 'paths' | 'rows'> {
    if (datasets === undefined) return { paths: [], rows: null };
    if (isTexts(datasets)) return { paths: datasets, rows: null };
    if (typeof datasets === 'object' && datasets !== null && isIterable(datasets))
        return { paths: [], rows: datasets };
    throw new UserError(
        `datasets: expected a list of files, or rows (an array or an async iterable of objects), got ${nameType(datasets)}`,
    );
}

const isTexts = (value: unknown): value is readonly string[] =>
    Array.isArray(value) && value.every((one) => typeof one === 'string');

const isIterable = (value: object): value is RowSource =>
    Symbol.iterator in value || Symbol.asyncIterator in value;

function nameType(value: unknown): string {
    if (value === null) return 'null';
    if (Array.isArray(value)) return 'a list';
    return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : `a value of type ${typeof value}`;
}

import { fileURLToPath } from 'node:url';
import { resolveConfig } from '../config.js';
import type { TaskFunction } from '../executor/function.js';
import type { RunEnd, RunEvent } from '../model/event.js';
import { UserError } from '../util/user-error.js';
import { EventQueue } from './event-queue.js';
import { readKnownRun } from './directory/known-run.js';
import { openRun } from './open-run.js';
import type { OpenedRun, RunPlan } from './opened-run.js';
import { readSettings } from './read-settings.js';
import { toCamelCase, readGivenOptions, type OptionSettings } from './settings.js';

/**
 * Settings of a run: the options of the command line, in camelCase (`allTests: true`) or in their original form (`'all-tests':
 * true`).
 */
export interface OpenSettings extends CommonSettings {
    /** Files, folders or globs, relative to `cwd`. Empty: those that run.json of `dir` names. */
    readonly datasets?: readonly string[];
    /** Runs a task, in this process. It receives the row of a list, or the JSON of a task in the general format. */
    readonly task?: TaskFunction;
}

/** Settings of a run over rows from the program. @typeParam Row the input of `task` */
export interface RowSettings<Row extends object> extends CommonSettings {
    /** Rows of a list, or samples of any dataset format, as objects. They are written beside run.json as they arrive. */
    readonly datasets: Iterable<Row> | AsyncIterable<Row>;
    /** Runs a task, in this process. */
    readonly task?: TaskFunction<Row>;
}

interface CommonSettings extends OptionSettings {
    /** The command of `executor: 'exec'`. */
    readonly command?: readonly string[];
    /** Stops planning, and later the run, as `abort()` does. */
    readonly signal?: AbortSignal;
}

/** An open run. It holds its directory until it has ended. */
export interface Run {
    /** What is left to run, decided before anything runs. */
    readonly plan: RunPlan;
    /**
     * Starts the run (at the first call) and streams its events until the end. Events queue up if the reader is slower than the
     * run, up to `EVENTS_BOUND`; beyond that the oldest `task-started`, `task-saving` and `task-finished` are dropped.
     */
    events(): AsyncIterable<RunEvent>;
    /** Starts the run if it has not been started yet; resolves when it has ended. @throws UserError, WriteError */
    readonly finished: Promise<RunEnd>;
    /** First call: start no more tasks, give running ones the grace period, and save. Second call: end them at once. */
    abort(): void;
    /** Changes how many tasks run at once. */
    setConcurrency(concurrency: number): void;
    /** Releases the directory without running. */
    close(): Promise<void>;
}

/**
 * The base of relative paths and of the search for the config file, the environment (empty by default), and a listener for
 * notices.
 */
interface Place {
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly onNotice?: (message: string) => void;
}

/**
 * Opens a run: reads the datasets, takes the directory, and decides what is left to run. Nothing runs yet.
 * @throws UserError for invalid settings or datasets, or if another run holds the directory; the reason of `signal` if it was
 * aborted during planning
 */
export function open(settings: OpenSettings, place?: Place): Promise<Run>;
export function open<Row extends object>(settings: RowSettings<Row>, place?: Place): Promise<Run>;
export async function open(settings: OpenSettings | RowSettings<object>, place: Place = {}): Promise<Run> {
    const { paths, rows, command, task, signal, options } = readSettings(settings);
    const { config } = await resolveConfig({
        argv: { options: readGivenOptions(options), datasets: paths, command, labelOf: toCamelCase },
        env: place.env ?? {},
        cwd: place.cwd ?? process.cwd(),
        // Loaded only for a config file, or for names that are not options of a run.
        catalog: async () => (await import('../commands/registry.js')).loadCatalog(),
        readRunFile: readKnownRun,
    });
    if (config.executor.kind === 'function' && task === undefined && !config.dryRun)
        throw new UserError('task: expected the function that does the tasks, got nothing');
    const examples = fileURLToPath(new URL('../../examples', import.meta.url));
    const opened = await openRun(config, {
        examples,
        onNotice: place.onNotice ?? (() => {}),
        ...(rows === null ? {} : { rows }),
        ...(task === undefined ? {} : { task }),
        ...(signal === undefined ? {} : { signal }),
    });
    return new LibraryRun(opened, signal);
}

class LibraryRun implements Run {
    readonly plan: RunPlan;
    readonly #opened: OpenedRun;
    #finished: Promise<RunEnd> | null = null;

    constructor(opened: OpenedRun, signal: AbortSignal | undefined) {
        this.#opened = opened;
        this.plan = opened.plan;
        signal?.addEventListener('abort', () => this.abort(), { once: true });
    }

    get finished(): Promise<RunEnd> {
        this.#finished ??= this.#opened.start();
        return this.#finished;
    }

    events(): AsyncIterable<RunEvent> {
        const queue = new EventQueue();
        this.#opened.onEvent((event) => queue.push(event));
        this.finished.then(
            () => queue.end(),
            (error: unknown) => queue.fail(error),
        );
        return queue;
    }

    abort(): void {
        this.#opened.stop({ reason: 'caller' });
    }

    setConcurrency(concurrency: number): void {
        this.#opened.setConcurrency(concurrency);
    }

    close(): Promise<void> {
        return this.#opened.close();
    }
}

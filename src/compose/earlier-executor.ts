import { resolve } from 'node:path';
import { type GivenOptions, resolveConfig } from '../config.js';
import { TOPICS_FIXED, TOPICS_PRESETS } from '../config/topics-presets.js';
import { UserError } from '../util/user-error.js';
import { readKnownRun } from './directory/known-run.js';
import { openRun } from './open-run.js';
import { makeTopicsDataset } from './topics.js';
import { readTopicResults, type TopicResult } from './topics-results.js';

/** One result, with the keys of the earlier tool, and its round. Times in seconds. */
export type TaskResult = TopicResult;

const MODES = ['async', 'thread', 'process', 'asyncio', 'threading', 'multiprocessing'] as const;

/** Settings of `ConcurrentConfig`; absent ones have their default. */
export interface ConcurrentSettings {
    /** Tasks at once, at least 1; 4 if absent. */
    readonly concurrency?: number;
    /** `async` if absent. The earlier tool's words are accepted too. */
    readonly mode?: (typeof MODES)[number];
    /** Tasks handed out at a time; 0, the default: as many as fit. */
    readonly batchSize?: number;
    /** Timeout of a request in seconds; 120 if absent. */
    readonly timeout?: number;
    /** Retries after a failure; 2 if absent. */
    readonly maxRetries?: number;
    /** Seconds that a worker pauses between two tasks; 0 if absent. */
    readonly delayBetweenTasks?: number;
    /** `glm-4.5-aq` if absent. */
    readonly chatModel?: string;
    /** Base URL of the service; that of Zhipu BigModel if absent. */
    readonly baseUrl?: string;
    /** Whether each task searches the web first; true if absent. */
    readonly webSearch?: boolean;
    /**
     * The results directory, relative to the current folder; `results` if absent. Another start with the same directory resumes
     * it.
     */
    readonly dir?: string;
}

/**
 * The configuration of a `ConcurrentBigModelExecutor`, validated by the constructor.
 *
 * @example
 * const config = new ConcurrentConfig({ concurrency: 8, baseUrl: 'http://127.0.0.1:8000/v1' });
 */
export class ConcurrentConfig {
    readonly concurrency: number;
    readonly mode: NonNullable<ConcurrentSettings['mode']>;
    readonly batchSize: number;
    readonly timeout: number;
    readonly maxRetries: number;
    readonly delayBetweenTasks: number;
    readonly chatModel: string | null;
    readonly baseUrl: string | null;
    readonly webSearch: boolean;
    readonly dir: string;

    /** @throws UserError that names the invalid setting */
    constructor(settings: ConcurrentSettings = {}) {
        this.concurrency = checkConfig('concurrency', settings.concurrency ?? 4, { least: 1, whole: true });
        this.batchSize = checkConfig('batchSize', settings.batchSize ?? 0, { least: 0, whole: true });
        this.timeout = checkConfig('timeout', settings.timeout ?? 120, { least: 0.001, whole: false });
        this.maxRetries = checkConfig('maxRetries', settings.maxRetries ?? 2, { least: 0, whole: true });
        this.delayBetweenTasks = checkConfig('delayBetweenTasks', settings.delayBetweenTasks ?? 0, {
            least: 0,
            whole: false,
        });
        this.mode = checkMode(settings.mode ?? 'async');
        this.chatModel = settings.chatModel ?? null;
        this.baseUrl = settings.baseUrl ?? null;
        this.webSearch = settings.webSearch ?? true;
        this.dir = settings.dir ?? 'results';
    }
}

function checkConfig(
    name: string,
    value: number,
    { least, whole }: { readonly least: number; readonly whole: boolean },
): number {
    if (Number.isFinite(value) && value >= least && (!whole || Number.isInteger(value))) return value;
    throw new UserError(
        `${name}: expected ${whole ? 'a whole number' : 'a number'} of at least ${least}, got ${String(value)}`,
    );
}

function checkMode(mode: NonNullable<ConcurrentSettings['mode']>): typeof mode {
    if (MODES.includes(mode)) return mode;
    throw new UserError(`mode: expected one of ${MODES.join(', ')}, got ${mode}`);
}

/**
 * Asks about topics, with the earlier tool's name and the core of `resume-run topics`: each result is on disk before it is
 * counted, and another call for the same directory asks only what is left.
 *
 * @example
 * const executor = new ConcurrentBigModelExecutor(new ConcurrentConfig({ concurrency: 8 }));
 * for (const { topic, iteration, analysis } of await executor.run(['tides', 'wind power'], 3)) console.log(topic, iteration, analysis);
 */
export class ConcurrentBigModelExecutor {
    readonly config: ConcurrentConfig;

    constructor(config: ConcurrentConfig = new ConcurrentConfig()) {
        this.config = config;
    }

    /**
     * Runs what is left of the topics and resolves with all their results, including failed ones.
     * @param iterations rounds over all topics, at least 1
     * @throws UserError for invalid settings, or if another run holds the directory
     */
    async run(topics: readonly string[], iterations = 1): Promise<readonly TaskResult[]> {
        if (topics.length === 0) throw new UserError('run: expected at least one topic');
        const rounds = checkConfig('iterations', iterations, { least: 1, whole: true });
        const { config } = await resolveConfig({
            argv: { options: this.#options(), datasets: [], command: [] },
            env: process.env,
            cwd: process.cwd(),
            catalog: async () => (await import('../commands/registry.js')).loadCatalog(),
            readRunFile: readKnownRun,
            fixed: TOPICS_FIXED,
            presets: TOPICS_PRESETS,
        });
        const run = await openRun(config, {
            examples: '',
            onNotice: () => {},
            generated: makeTopicsDataset(topics, rounds, config),
        });
        await run.start();
        const results: TaskResult[] = [];
        for await (const result of readTopicResults(config.dir, new Set(topics))) results.push(result);
        return results;
    }

    #options(): GivenOptions {
        const { config } = this;
        return {
            dir: resolve(config.dir),
            concurrency: config.concurrency,
            mode: config.mode,
            'batch-size': config.batchSize,
            timeout: config.timeout,
            retries: config.maxRetries,
            delay: config.delayBetweenTasks,
            'web-search': config.webSearch,
            ...(config.chatModel === null ? {} : { model: config.chatModel }),
            ...(config.baseUrl === null ? {} : { endpoint: [config.baseUrl] }),
        };
    }
}

/**
 * Asks about one topic.
 *
 * @example
 * const { success, analysis } = await new TaskWorker(new ConcurrentConfig()).process('tides');
 */
export class TaskWorker {
    readonly #executor: ConcurrentBigModelExecutor;

    constructor(config: ConcurrentConfig = new ConcurrentConfig()) {
        this.#executor = new ConcurrentBigModelExecutor(config);
    }

    /** The topic's result in its first round. @throws UserError as `ConcurrentBigModelExecutor.run` does */
    async process(topic: string): Promise<TaskResult> {
        const [result] = await this.#executor.run([topic]);
        if (result === undefined) throw new UserError(`${topic}: the run was stopped before it had a result`);
        return result;
    }
}

import { resolve } from 'node:path';
import { type GivenOptions, resolveConfig } from '../config.js';
import { choosePhases, readMatrixConfig } from '../config/matrix-config.js';
import { MATRIX_PRESETS } from '../config/matrix-presets.js';
import type { RunEnd } from '../model/event.js';
import { INSTANCE_GROUP } from '../model/matrix.js';
import { UserError } from '../util/user-error.js';
import { readKnownRun } from './directory/known-run.js';
import { generateMatrix } from './matrix.js';
import { openRun } from './open-run.js';

/** One value of a dimension, several, or a word that stands for several: `all`, `all_with_flawed`. */
type OneOrMore<T> = T | readonly T[];

/** The cells that a test covers, and the number of instances of each. */
export interface MatrixTest {
    readonly model: OneOrMore<string>;
    /** `all`: baseline, cot, optimal; `all_with_flawed`: these and seven with a flaw. `baseline` if absent. */
    readonly promptTypes?: OneOrMore<string>;
    /** `easy` if absent. */
    readonly difficulty?: OneOrMore<string>;
    /** `all` if absent: the five kinds of tasks. */
    readonly taskTypes?: OneOrMore<string>;
    /** 0 to 1; 0.8 if absent. */
    readonly toolSuccessRate?: OneOrMore<number>;
    /** Instances of each cell; 20 if absent. `20x4` is 20 rows, 4 times each. */
    readonly numInstances?: number | string;
}

/** The service and model to ask, how to ask, and where results go. Absent settings have the default of `resume-run matrix`. */
export interface MatrixSettings {
    /** Base URLs of the service: one for each deployment. */
    readonly baseUrl?: OneOrMore<string>;
    /** Files of rows that prompts are made from. */
    readonly rows?: OneOrMore<string>;
    /** `{field}` stands for a field of the row, or a coordinate of the cell; the row's `prompt` if absent. */
    readonly promptTemplate?: string;
    /** Module with the tools that a model calls. */
    readonly toolModule?: string;
    /** Instances at once; absent: as many as the service accepts. */
    readonly maxWorkers?: number;
    /** `adaptive` if absent. */
    readonly rateMode?: 'adaptive' | 'fixed';
    /** The results directory; `results` if absent. Another call with the same directory runs only what is missing. */
    readonly dir?: string;
    /** Whether results also go into the results database; absent: as USE_RESULT_COLLECTOR says. */
    readonly useResultCollector?: boolean | undefined;
    /** Folder of the results database; `database` if absent. */
    readonly database?: string;
    /** Folder in which results wait for the database; absent: RESULT_TEMP_DIR, else `temp_results`. */
    readonly tempDir?: string;
    /** Called with a line for people. */
    readonly onNotice?: (message: string) => void;
}

export interface BatchTestSettings extends MatrixTest, MatrixSettings {}

/** The progress of a test when a call has ended. */
export interface BatchTestResult {
    /** Absolute. */
    readonly dir: string;
    readonly cells: number;
    /** Instances of the test. */
    readonly instances: number;
    /** Instances finished so far, including those of earlier calls. */
    readonly finished: number;
    readonly accepted: number;
    /** Instances given up for now; the next call tries them again. */
    readonly failed: number;
    /** Instances that this call finished. */
    readonly committed: number;
    readonly outcome: RunEnd['outcome'];
}

/**
 * Runs what is missing of a matrix, with the earlier batch runner's name. Each instance is on disk before it is counted, so that
 * the same call after a crash repeats nothing, and a higher `numInstances` adds instances.
 *
 * @example
 * const { finished, accepted } = await runBatchTestSmart({
 *     model: 'gpt-4o-mini', promptTypes: 'all', difficulty: 'easy', taskTypes: 'simple_task', numInstances: 20,
 *     useResultCollector: true, rows: 'tasks.csv', promptTemplate: '{question}', baseUrl: 'http://127.0.0.1:8000/v1',
 * });
 * @throws UserError for invalid settings, or if another run holds the directory
 */
export async function runBatchTestSmart(settings: BatchTestSettings): Promise<BatchTestResult> {
    const { numInstances, onNotice = () => undefined } = settings;
    const matrix = await readMatrixConfig(null, {
        models: toList(settings.model),
        promptTypes: toList(settings.promptTypes ?? 'baseline'),
        difficulty: toList(settings.difficulty ?? 'easy'),
        taskTypes: toList(settings.taskTypes ?? 'all'),
        toolSuccessRate: toList(settings.toolSuccessRate ?? 0.8),
        dimensions: [],
        numInstances: numInstances === undefined ? null : String(numInstances),
        rows: toList(settings.rows ?? []).map((path) => resolve(path)),
    });
    const { config } = await resolveConfig({
        argv: { options: toOptions(settings), datasets: [], command: [] },
        env: process.env,
        cwd: process.cwd(),
        catalog: async () => (await import('../commands/registry.js')).loadCatalog(),
        readRunFile: readKnownRun,
        presets: MATRIX_PRESETS,
    });
    const generated = generateMatrix({ ...matrix, blocks: choosePhases(matrix, []) });
    const run = await openRun(config, { examples: '', onNotice, generated: generated.dataset });
    const cells = generated.askedCells();
    const { outcome, committed, totals } = await run.start();
    const instances = totals.groups[INSTANCE_GROUP];
    return {
        dir: config.dir,
        cells: cells.length,
        instances: cells.reduce((sum, { asked }) => sum + asked, 0),
        finished: instances?.completed ?? 0,
        accepted: instances?.verdicts.Accepted ?? 0,
        failed: instances?.failed ?? 0,
        committed,
        outcome,
    };
}

/**
 * Asks several deployments of a model at once, with the earlier runner's name. What changed: the deployments share one queue, so
 * that each instance is asked once, by whichever deployment is free, and a slow one delays nothing; the earlier runner
 * distributed the work in advance and ran more or fewer instances than requested.
 *
 * @example
 * const runner = new UltraParallelRunner({
 *     baseUrl: ['http://10.0.0.1:8000/v1', 'http://10.0.0.2:8000/v1'], maxWorkers: 200, rateMode: 'adaptive',
 * });
 * const { accepted } = await runner.runUltraParallelTest({ model: 'DeepSeek-V3', promptTypes: 'all', numInstances: 20 });
 */
export class UltraParallelRunner {
    readonly settings: MatrixSettings;

    /** @throws UserError that names the invalid setting */
    constructor(settings: MatrixSettings = {}) {
        const { maxWorkers } = settings;
        if (maxWorkers !== undefined && !(Number.isInteger(maxWorkers) && maxWorkers >= 1))
            throw new UserError(
                `maxWorkers: expected a whole number of at least 1, got ${String(maxWorkers)}`,
            );
        this.settings = settings;
    }

    /** Runs what is missing. @throws UserError as `runBatchTestSmart` does */
    runUltraParallelTest(test: MatrixTest): Promise<BatchTestResult> {
        return runBatchTestSmart({ ...this.settings, ...test });
    }
}

function toList(values: OneOrMore<string | number>): readonly string[] {
    return (typeof values === 'object' ? values : [values]).map(String);
}

function toOptions(settings: MatrixSettings): GivenOptions {
    const { baseUrl, promptTemplate, toolModule, maxWorkers, rateMode, dir } = settings;
    const { useResultCollector, database, tempDir } = settings;
    return {
        dir: resolve(dir ?? 'results'),
        ...(baseUrl === undefined ? {} : { endpoint: toList(baseUrl) }),
        ...(promptTemplate === undefined ? {} : { 'prompt-template': promptTemplate }),
        ...(toolModule === undefined ? {} : { 'tool-module': toolModule }),
        ...(maxWorkers === undefined ? {} : { concurrency: maxWorkers }),
        ...(rateMode === undefined ? {} : { 'endpoint-limits': rateMode }),
        ...(useResultCollector === undefined ? {} : { collect: useResultCollector }),
        ...(database === undefined ? {} : { database: resolve(database) }),
        ...(tempDir === undefined ? {} : { 'temp-dir': resolve(tempDir) }),
    };
}

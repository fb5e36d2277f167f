import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { ExecutorKind } from '../executor/executor-kind.js';
import { EXECUTOR_KINDS, EXECUTOR_OPTIONS, findExecutorKind } from '../executor/kinds.js';
import { UserError } from '../util/user-error.js';
import type { Source } from './layers.js';
import type { OptionSpec, StoredOptions } from './option.js';
import type { DisplayConfig, RunConfig } from './run-config.js';
import type { RunOptionName, RunOptionValues } from './run-options.js';

const MEBIBYTE = 1024 * 1024;

export type OptionSources = Readonly<Record<RunOptionName, Source>>;

/**
 * Builds the configuration of a run from the values of all options.
 * @throws UserError if two options contradict each other
 */
export function buildConfig(
    { values, sources }: { readonly values: RunOptionValues; readonly sources: OptionSources },
    rest: {
        readonly cwd: string;
        readonly datasets: readonly string[];
        /** What run.json keeps. */
        readonly stored: StoredOptions;
    },
): RunConfig {
    const kind = findExecutorKind(values.executor);
    refuseContradictions(values, sources, kind);
    const output = chooseKeptOutput(values, kind);
    const timeout = values.timeout ?? kind.usualTimeout ?? DEFAULT_TIMEOUT;
    return {
        cwd: rest.cwd,
        datasets: rest.datasets,
        dir: values.dir,
        checkpoints: chooseCheckpointsFolder(values.dir, values.checkpoints),
        format: values.format,
        skipBadRows: values['skip-bad-rows'],
        sampleTests: values['sample-tests'],
        rowsPerSample: values['rows-per-sample'],
        part: { only: values.only, limit: values.limit, shard: values.shard },
        rerun: values.rerun,
        dryRun: values['dry-run'],
        executor: kind.configure(values, { dir: values.dir, timeout }),
        limits: {
            policy: values.limits,
            timeout,
            timeFactor: values['time-factor'],
            timeSafety: values['time-safety'],
            memory: toBytes(values['memory-limit']),
            output: toBytes(values['max-output']),
        },
        judging: {
            checker: values.checker,
            includeDirs: values['include-dir'],
            allTests: values['all-tests'],
            sandbox: values.sandbox,
            python2As3: values['python2-as-3'],
            adaptWindows: values['adapt-windows'],
            languages: values.languages,
            keepOutput: output['keep-output'],
            outputLimit: output['output-limit'],
        },
        keepSource: values['keep-source'],
        stopAfter: values['stop-after'],
        halt: values.halt,
        retries: values.retries,
        tleRetries: values['tle-retries'],
        concurrency: values.concurrency ?? usualConcurrency(values, kind),
        mode: values.mode ?? (kind.runsIn === 'main' ? 'async' : 'thread'),
        isModeGiven: values.mode !== null,
        redis:
            values.redis === null
                ? null
                : {
                      address: values.redis,
                      passwordFile: values['redis-password-file'],
                      caFile: values['redis-ca'],
                  },
        delay: values.delay,
        rate: values.rate,
        retryDelay: { first: values['retry-delay'], most: values['max-retry-delay'] },
        batchSize: values['batch-size'],
        grace: values.grace,
        takeOver: values['take-over'],
        display: buildDisplay(values),
        collecting: {
            enabled: values.collect,
            database: values.database,
            tempDir: values['temp-dir'],
            storage: values.storage,
        },
        // The default of this start is stored for the directory, so that a later executor or version cannot change it.
        runOptions: { ...rest.stored, ...output, timeout },
    };
}

/** Default number of tasks that are with workers or waiting for them: enough for some hundred slots. */
const QUEUE_WINDOW = 512;

/** Default number of tasks at once; null: as many as the endpoints take. */
function usualConcurrency({ mode }: RunOptionValues, { usesEndpoints }: ExecutorKind): number | null {
    if (usesEndpoints) return null;
    return mode === 'queue' ? QUEUE_WINDOW : availableParallelism();
}

/** How much output is kept. The output of a judged program matters only if the program failed. */
function chooseKeptOutput(values: RunOptionValues, { keptOutput: usual }: ExecutorKind) {
    return {
        'keep-output': values['keep-output'] ?? usual?.keepOutput ?? 'failed',
        'output-limit': values['output-limit'] ?? usual?.outputLimit ?? TEST_OUTPUT_LIMIT,
    } as const;
}

/** Seconds. */
const DEFAULT_TIMEOUT = 20;

/** Bytes. */
const TEST_OUTPUT_LIMIT = 1024;

/**
 * The folder for run.json, locks and caches of a results directory.
 * @param dir absolute path of the results directory
 * @param checkpoints absolute path given by `--checkpoints`; null: `checkpoints` beside `dir`
 */
export function chooseCheckpointsFolder(dir: string, checkpoints: string | null): string {
    const name = basename(dir);
    if (name === '') throw new UserError(`--dir: ${dir} cannot be a results directory: name a folder in it`);
    return join(checkpoints ?? join(dirname(dir), 'checkpoints'), name);
}

function buildDisplay(values: RunOptionValues): DisplayConfig {
    return {
        json: values.json,
        quiet: values.quiet,
        logFile: values['log-file'],
        logLevel: values['log-level'] ?? (values.debug ? 'debug' : 'info'),
        langSmith: values['enable-langsmith'] ? 'on' : values['disable-langsmith'] ? 'off' : 'auto',
    };
}

const toBytes = (mebibytes: number | null): number | null =>
    mebibytes === null ? null : Math.round(mebibytes * MEBIBYTE);

function refuseContradictions(values: RunOptionValues, sources: OptionSources, kind: ExecutorKind): void {
    refuseForeignOptions(sources, kind);
    const isShared = kind.runsIn === 'main' && kind.hasLocalWorkers !== true;
    if (isShared && values.mode !== null && values.mode !== 'async' && values.mode !== 'queue') {
        throw new UserError(
            `--mode ${values.mode} cannot be used with --executor ${kind.name}, which works in the main process: leave it out`,
        );
    }
    if (values.mode === 'queue') refuseForQueue(kind);
    if (values['enable-langsmith'] && values['disable-langsmith'])
        throw new UserError('--enable-langsmith contradicts --disable-langsmith: give one of them');
    if (values.debug && values['log-level'] !== null && values['log-level'] !== 'debug') {
        throw new UserError(`--debug contradicts --log-level ${values['log-level']}: give one of them`);
    }
}

function refuseForQueue(kind: ExecutorKind): void {
    if (kind.adopt === undefined)
        throw new UserError(
            `--mode queue cannot be used with --executor ${kind.name}: it runs in this process`,
        );
}

/** Refuses options of another executor if they were given for this start; those restored from run.json do not matter. */
function refuseForeignOptions(sources: Readonly<Record<string, Source>>, kind: ExecutorKind): void {
    for (const [name, spec] of Object.entries<OptionSpec>(EXECUTOR_OPTIONS)) {
        if (sources[name] !== 'command line' || Object.hasOwn(kind.options, name)) continue;
        const takers = EXECUTOR_KINDS.filter(({ options }) => Object.hasOwn(options, name));
        const option = spec.kind === 'command' ? 'a command after --' : `--${name}`;
        const names = takers.map((taker) => taker.name).join(' or ');
        throw new UserError(`${option} needs --executor ${names}, but the executor is ${kind.name}`);
    }
}

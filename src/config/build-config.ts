import { availableParallelism } from 'node:os';
import { basename, dirname, join, relative, sep } from 'node:path';
import { UserError } from '../util/user-error.js';
import type { Source } from './layers.js';
import type { StoredOptions } from './option.js';
import type { DisplayConfig, ExecutorConfig, Mode, RunConfig, ServerConfig } from './run-config.js';
import type { RunOptionName, RunOptionValues } from './run-options.js';

const MEBIBYTE = 1024 * 1024;

export type Sources = Readonly<Record<RunOptionName, Source>>;

/**
 * Makes the configuration of a run out of every option's value.
 * @throws UserError where two options contradict each other
 */
export function buildConfig(
    { values, sources }: { readonly values: RunOptionValues; readonly sources: Sources },
    rest: {
        readonly cwd: string;
        readonly datasets: readonly string[];
        /** What run.json keeps. */
        readonly stored: StoredOptions;
    },
): RunConfig {
    refuseContradictions(values, sources);
    const executor = executorOf(values);
    return {
        cwd: rest.cwd,
        datasets: rest.datasets,
        dir: values.dir,
        checkpoints: checkpointsFolder(values.dir, values.checkpoints),
        format: values.format,
        skipBadRows: values['skip-bad-rows'],
        part: { only: values.only, limit: values.limit, shard: values.shard },
        rerun: values.rerun,
        dryRun: values['dry-run'],
        executor,
        limits: {
            policy: values.limits,
            timeout: values.timeout,
            timeFactor: values['time-factor'],
            memory: inBytes(values['memory-limit']),
            output: inBytes(values['max-output']),
        },
        judging: {
            checker: values.checker,
            includeDirs: values['include-dir'],
            allTests: values['all-tests'],
            sandbox: values.sandbox,
            python2As3: values['python2-as-3'],
            languages: values.languages,
            keepOutput: values['keep-output'],
            outputLimit: values['output-limit'],
        },
        keepSource: values['keep-source'],
        retries: values.retries,
        tleRetries: values['tle-retries'],
        concurrency: values.concurrency ?? (usesServers(executor) ? null : availableParallelism()),
        mode: values.mode ?? (usesServers(executor) ? 'async' : 'thread'),
        grace: values.grace,
        takeOver: values['take-over'],
        display: displayOf(values),
        runOptions: rest.stored,
    };
}

/**
 * Folder of a results directory's run.json, locks and caches.
 * @param dir absolute path of the results directory
 * @param checkpoints absolute path given by `--checkpoints`; null: `checkpoints` beside `dir`
 */
export function checkpointsFolder(dir: string, checkpoints: string | null): string {
    const name = basename(dir);
    if (name === '') throw new UserError(`--dir: ${dir} cannot be a results directory: name a folder in it`);
    return join(checkpoints ?? join(dirname(dir), 'checkpoints'), name);
}

function executorOf(values: RunOptionValues): ExecutorConfig {
    const { executor } = values;
    switch (executor) {
        case 'judge':
            return { kind: executor };
        case 'exec':
            return execOf(values);
        case 'module':
            return moduleOf(values);
        case 'sandbox-fusion':
            return { kind: executor, api: values['fusion-api'], ...serversOf(values) };
        case 'go-judge':
            return { kind: executor, ...serversOf(values) };
    }
}

function execOf(values: RunOptionValues): ExecutorConfig {
    if (values.command === null) {
        throw new UserError(
            '--executor exec needs a command after --, such as: resume-run data.jsonl --executor exec -- ./task {input}',
        );
    }
    const exitVerdicts = Object.fromEntries(
        values['exit-verdict'].map(({ code, verdict }): [string, string] => [String(code), verdict]),
    );
    return { kind: 'exec', argv: values.command, exitVerdicts, identity: JSON.stringify(values.command) };
}

function moduleOf(values: RunOptionValues): ExecutorConfig {
    if (values.module === null) {
        throw new UserError(
            '--executor module needs --module <file[#export]>, such as --module ./my-task.mjs',
        );
    }
    const { file } = values.module;
    const exportName = values.module.exportName ?? 'default';
    // Relative to the results, not to where the run was started: a restart from elsewhere is the same task.
    const path = relative(dirname(values.dir), file).split(sep).join('/');
    return { kind: 'module', file, exportName, identity: `${path}#${exportName}` };
}

function serversOf(values: RunOptionValues): ServerConfig {
    if (values.endpoint.length === 0) {
        throw new UserError(
            `--executor ${values.executor} needs --endpoint <url>, such as http://127.0.0.1:8080`,
        );
    }
    return {
        endpoints: values.endpoint,
        retryEndpoints: values['retry-endpoint'],
        limits: values['endpoint-limits'],
        endpointWait: values['endpoint-wait'],
        firstTimeout: values['first-timeout'],
    };
}

const usesServers = (executor: ExecutorConfig): boolean =>
    executor.kind === 'sandbox-fusion' || executor.kind === 'go-judge';

function displayOf(values: RunOptionValues): DisplayConfig {
    return {
        json: values.json,
        quiet: values.quiet,
        logFile: values['log-file'],
        logLevel: values['log-level'] ?? (values.debug ? 'debug' : 'info'),
    };
}

const inBytes = (mebibytes: number | null): number | null =>
    mebibytes === null ? null : Math.round(mebibytes * MEBIBYTE);

/** Options of one executor are refused beside another, where both were asked for now; what run.json restored does not matter. */
function refuseContradictions(values: RunOptionValues, sources: Sources): void {
    const given = (name: RunOptionName): boolean => sources[name] === 'command line';
    const { executor } = values;
    if (given('command') && executor !== 'exec') {
        throw new UserError(`a command after -- needs --executor exec, but the executor is ${executor}`);
    }
    if (given('exit-verdict') && executor !== 'exec') {
        throw new UserError(`--exit-verdict needs --executor exec, but the executor is ${executor}`);
    }
    if (given('module') && executor !== 'module') {
        throw new UserError(`--module needs --executor module, but the executor is ${executor}`);
    }
    const servers = executor === 'sandbox-fusion' || executor === 'go-judge';
    for (const name of [
        'endpoint',
        'retry-endpoint',
        'first-timeout',
        'endpoint-wait',
        'endpoint-limits',
    ] as const) {
        if (given(name) && !servers) {
            throw new UserError(
                `--${name} needs --executor sandbox-fusion or go-judge, but the executor is ${executor}`,
            );
        }
    }
    if (given('fusion-api') && executor !== 'sandbox-fusion') {
        throw new UserError(`--fusion-api needs --executor sandbox-fusion, but the executor is ${executor}`);
    }
    refuseModes(values.mode, executor, servers);
    if (values['first-timeout'] !== null && values['first-timeout'] > values.timeout) {
        throw new UserError(
            `--first-timeout ${values['first-timeout']} must not be more than --timeout ${values.timeout}`,
        );
    }
    if (values.debug && values['log-level'] !== null && values['log-level'] !== 'debug') {
        throw new UserError(`--debug contradicts --log-level ${values['log-level']}: give one of them`);
    }
}

function refuseModes(mode: Mode | null, executor: string, servers: boolean): void {
    if (servers && mode !== null && mode !== 'async') {
        throw new UserError(
            `--mode ${mode} cannot be used with --executor ${executor}: servers are shared, leave it out`,
        );
    }
}

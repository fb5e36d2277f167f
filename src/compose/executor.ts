import type { RunConfig } from '../config.js';
import type { PoolHooks } from '../endpoint/pool.js';
import type { ServerExecutor } from '../executor/servers/server-executor.js';
import type { KnownDescriptor, JudgingOptions, LocalOptions } from '../executor/descriptor.js';
import type { ProgramInput } from '../model/sample.js';
import type { Task } from '../model/task.js';
import { compileCacheFolder } from './scratch.js';

/** The executor as data, and what planning needs to know of it. */
export interface ExecutorPlan {
    readonly descriptor: KnownDescriptor;
    /** What `data` tasks are done by, for fingerprints. */
    readonly identity: string;
    readonly judges: boolean;
    readonly skipReason: (input: ProgramInput) => string | null;
    /** Compile command by language, for CompileErrors that another compiler may not give. */
    readonly compilers: ReadonlyMap<string, string>;
    /** `bwrap`, `rlimit`, `none`; null where no program runs in a sandbox of ours. */
    readonly sandbox: string | null;
    /** Lines to show: a sandbox that is missing. */
    readonly notices: readonly string[];
    /** Tags of the languages that can run here; empty where that does not decide. */
    readonly languages: readonly string[];
    /** Builds an executor that lives in the main process, over one pool of endpoints; null: workers build theirs. */
    readonly inMain: ((hooks: PoolHooks) => Promise<ServerExecutor>) | null;
    /** Seconds after which a task's worker counts as hung; null where the executor bounds it. */
    readonly patience: (task: Task) => number | null;
}

/** @throws UserError when the executor cannot work here */
export async function planExecutor(config: RunConfig, scratch: string): Promise<ExecutorPlan> {
    const { executor, judging, limits } = config;
    const { keepOutput, outputLimit } = judging;
    switch (executor.kind) {
        case 'exec': {
            const { kind, argv, exitVerdicts, identity } = executor;
            const { timeout } = limits;
            const descriptor = {
                kind,
                argv,
                exitVerdicts,
                timeout,
                keepOutput,
                outputLimit,
                scratch,
            } as const;
            return { ...NOT_JUDGED, descriptor, identity, patience: () => timeout + 60 };
        }
        case 'module': {
            const { kind, file, exportName, identity } = executor;
            const descriptor = { kind, file, exportName, timeout: limits.timeout } as const;
            return { ...NOT_JUDGED, descriptor, identity, patience: () => limits.timeout + 5 };
        }
        case 'judge':
            return planJudge(config, scratch);
        case 'sandbox-fusion':
        case 'go-judge': {
            const local = await localOptions(config, scratch);
            const [{ describeServers }, { serverSkipReason }] = await Promise.all([
                import('./servers.js'),
                import('../executor/servers/languages.js'),
            ]);
            const descriptor = describeServers(executor, { ...judgingOptions(config), ...local.options });
            const inMain = async (hooks: PoolHooks): Promise<ServerExecutor> =>
                descriptor.kind === 'go-judge'
                    ? (await import('../executor/servers/go-judge.js')).createGoJudge(descriptor, { hooks })
                    : (await import('../executor/servers/sandbox-fusion.js')).createSandboxFusion(
                          descriptor,
                          {
                              hooks,
                          },
                      );
            const skip = serverSkipReason(descriptor);
            return {
                ...NOT_JUDGED,
                descriptor,
                judges: true,
                skipReason: (input) => input.skip ?? skip(input),
                notices: local.notices,
                inMain,
            };
        }
    }
}

const NOT_JUDGED: Omit<ExecutorPlan, 'descriptor'> = {
    identity: '',
    judges: false,
    skipReason: (input) => input.skip ?? null,
    compilers: new Map(),
    sandbox: null,
    notices: [],
    languages: [],
    inMain: null,
    patience: () => null,
};

function judgingOptions({ judging }: RunConfig): JudgingOptions {
    const { allTests, keepOutput, outputLimit } = judging;
    return { allTests, keepOutput, outputLimit };
}

async function localOptions(
    { judging }: RunConfig,
    scratch: string,
): Promise<{ readonly options: LocalOptions; readonly notices: readonly string[] }> {
    const { probeSandbox } = await import('../executor/sandbox/probe.js');
    const { kind, notes } = await probeSandbox(judging.sandbox);
    const { includeDirs, python2As3, languages } = judging;
    const compileCache = await compileCacheFolder();
    return {
        options: { sandbox: kind, includeDirs, scratch, compileCache, python2As3, languages },
        notices: notes,
    };
}

/** A judge's worker bounds every program; only if that fails too does this end it. Seconds a test, and for compiling. */
const SLACK = { factor: 4, perTest: 30, compile: 600 } as const;

async function planJudge(config: RunConfig, scratch: string): Promise<ExecutorPlan> {
    const [{ options, notices }, { availableLanguages }] = await Promise.all([
        localOptions(config, scratch),
        import('../executor/judge/available.js'),
    ]);
    const available = await availableLanguages(options.languages, options.python2As3, options.sandbox);
    const compilers = new Map<string, string>();
    for (const [tag, { compiler }] of available) if (compiler !== null) compilers.set(tag, compiler);
    return {
        ...NOT_JUDGED,
        descriptor: { kind: 'judge', ...judgingOptions(config), ...options },
        judges: true,
        skipReason: (input) =>
            input.skip ?? (available.has(input.language) ? null : `no toolchain for ${input.language}`),
        compilers,
        languages: [...available.keys()],
        sandbox: options.sandbox,
        notices,
        patience: (task) => {
            const seconds = task.limits?.time ?? 0;
            return SLACK.compile + (seconds * SLACK.factor + SLACK.perTest) * TESTS_BOUND;
        },
    };
}

/** Tests of one submission, for the patience above: a hung worker must be noticed some day, not soon. */
const TESTS_BOUND = 200;

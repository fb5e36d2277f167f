import type { EndpointSetting, LanguageSetting, OptionTable, Values } from '../config/option.js';
import type { ExecutorDescriptor } from '../model/executor-descriptor.js';
import type { MemoryHolding } from '../model/limits.js';
import type { ProblemFeature } from '../model/problem-features.js';
import type { ProblemProgram } from '../model/problem-programs.js';
import type { ProgramInput } from '../model/sample.js';
import type { Task } from '../model/task.js';
import type { WorkEstimate } from '../model/work-estimate.js';
import type { TestMaker } from '../model/test-recipe.js';
import type { ProviderName } from './chat/providers.js';
import type { JudgingOptions, SandboxChoice } from './descriptor.js';
import type { Executor } from './executor.js';
import type { ServerExecutor, ServerHooks } from './servers/server-executor.js';

/*
 * An executor's row: everything that the rest of the program needs to know about it, and a way to load the implementation. Rows
 * are listed in kinds.ts. Every start loads all rows, so a row imports its implementation, and anything else that is heavy, by
 * `import()` on use.
 *
 * The stages of an executor: the values of its options become its part of the configuration (`configure`), which becomes a
 * descriptor (`plan`), which is passed to wherever tasks run, and there becomes the executor itself (`create`).
 *
 * A row declares its own types of values, configuration and descriptor. Callers hold `ExecutorKind`, which knows none of them:
 * what one method of a row returned is only ever passed to another method of the same row. That is why these are methods and not
 * properties: TypeScript compares the parameters of methods bivariantly.
 */

/** An executor's part of a run's configuration, as plain data. */
export interface ExecutorConfig {
    readonly kind: string;
}

/** Arguments of `configure` besides the values of the executor's own options. */
export interface ConfigureContext {
    /** Absolute path of the results directory. */
    readonly dir: string;
    /** `--timeout`, seconds. */
    readonly timeout: number;
}

/** Arguments of `plan` besides the executor's part of the configuration. */
export interface PlanContext {
    /** `--timeout`, seconds. */
    readonly timeout: number;
    /** `--memory-limit`, bytes; null: not given. */
    readonly memoryLimit: number | null;
    readonly judging: JudgingSettings;
    /** The results directory. Absolute. */
    readonly dir: string;
    /** Id of the run, used in names of temporary files. */
    readonly holder: string;
    /** Folder for scratch files of this run; exists and is used only by this run. */
    readonly scratch: string;
    /** Whether workers on other machines run the tasks: a program missing here may exist there. Absent: they do not. */
    readonly isQueued?: boolean;
}

/** The options shared by all executors that run or check programs, as given. */
export interface JudgingSettings extends JudgingOptions {
    readonly sandbox: SandboxChoice;
    readonly includeDirs: readonly string[];
    readonly python2As3: boolean;
    readonly adaptWindows: boolean;
    readonly languages: Readonly<Record<string, LanguageSetting>>;
}

/** The executor as data, and what planning needs to know about it. Absent fields do not matter to this executor. */
export interface ExecutorPlan<D extends ExecutorDescriptor = ExecutorDescriptor> {
    readonly descriptor: D;
    /** Identifies what executes tasks that are not programs; part of their fingerprints, beside their data. */
    readonly identity?: string;
    /** Which memory limit it enforces, if that is not each program's own. */
    readonly memoryHolding?: MemoryHolding;
    /** Why it can never run a program; null if it might. */
    readonly skipReason?: (input: ProgramInput) => string | null;
    /** Features that it supports for problems; absent: none. Samples that need others are skipped. */
    readonly features?: readonly ProblemFeature[];
    /** Tags of the languages that can run here, if samples in other languages are skipped. */
    readonly languages?: readonly string[];
    /** Compile command by language, for CompileErrors that another compiler may not produce. */
    readonly compilers?: ReadonlyMap<string, string>;
    /** Versions of this machine's toolchains by language, if tasks are queued for machines that may have other versions. */
    readonly toolchains?: Readonly<Record<string, string>>;
    /** Language of a sample's own program, such as a checker; null: unknown. */
    readonly languageOf?: (program: ProblemProgram['program']) => string | null;
    /** `bwrap`, `rlimit` or `none`, if programs run in our sandbox. */
    readonly sandbox?: string;
    /** Describes what compares outputs, if our checkers do not. */
    readonly comparison?: string;
    /** Generates tests that datasets only describe, if programs run on this machine. */
    readonly createTestMaker?: (how: MakingOptions) => Promise<TestMaker>;
    /** Decisions of the configuration that users should see, such as which deployment serves a model. */
    readonly remarks?: readonly string[];
    /** Lines to show before anything runs, such as one about a missing sandbox. */
    readonly notices?: readonly string[];
}

export interface MakingOptions {
    /** Folder in which the tests are kept. */
    readonly folder: string;
    readonly notify: (message: string) => void;
    /** Most programs that are compiled at once. */
    readonly concurrency: number;
    /** Stops the generation; the next start generates what is unfinished. */
    readonly signal: AbortSignal;
}

/** What an executor found out before the first task runs. */
export interface Preflight {
    /** The mode that its tasks ask for, used unless `--mode` is given; absent: the usual one. */
    readonly mode?: 'thread' | 'process' | 'async';
}

/** A dataset that is a list, and the fields that occur in its rows. */
export interface ListFields {
    readonly path: string;
    readonly fields: ReadonlySet<string>;
}

/** The values of a row's options; any values for callers, which do not know the row. */
type ValuesOf<O extends OptionTable> = string extends keyof O ? Readonly<Record<string, unknown>> : Values<O>;

interface CommonExecutorKind<O extends OptionTable, C extends ExecutorConfig, D extends ExecutorDescriptor> {
    /** Its name in `--executor`. */
    readonly name: C['kind'] & D['kind'];
    /** Options that only this executor takes, or others that list them too. They become options of every run. */
    readonly options: O;
    /** Whether its tasks are programs to be judged: tests are staged, limits and checkers apply. */
    readonly judges: boolean;
    /** Defaults of `--keep-output` and `--output-limit` (bytes) for new directories; absent: failed tests, 1 KiB. */
    readonly keptOutput?: Pick<JudgingOptions, 'keepOutput' | 'outputLimit'>;
    /** Whether results may name files of `.outputs`. Absent: they do not. */
    readonly leavesFiles?: boolean;
    /** Default of `--timeout` for new directories, seconds; absent: 20. */
    readonly usualTimeout?: number;
    /** Whether it sends its tasks to endpoints: `--concurrency` then defaults to what these take at once. */
    readonly usesEndpoints: boolean;
    /**
     * Builds its part of the configuration.
     * @throws UserError if its options are incomplete or contradict each other
     */
    configure(values: ValuesOf<O>, context: ConfigureContext): C;
    /** @throws UserError if it cannot work here */
    plan(config: C, context: PlanContext): Promise<ExecutorPlan<D>>;
    /**
     * Checks whether the configuration fits the rows of lists, in dry runs too.
     * @param lists the datasets of the run that are lists; empty if it has other datasets
     * @throws UserError
     */
    checkFields?(config: C, lists: readonly ListFields[]): Promise<void>;
    /**
     * Fails at start-up if no task could run: a command that is missing, a module that cannot be loaded.
     * @returns what it found out on the way
     * @throws UserError
     */
    preflight?(descriptor: D): Promise<Preflight>;
    /** Whether its tasks cost money, so that results must be written to disk without much delay. Absent: no. */
    readonly isPaid?: boolean;
    /** Estimates what tasks may cost, for dry runs; absent: they cost nothing. */
    estimate?(descriptor: D, tasks: AsyncIterable<Task>): Promise<WorkEstimate>;
    /** Seconds after which the worker of a task counts as hung; null if the executor enforces a limit itself. */
    patience(descriptor: D, task: Task): number | null;
    /**
     * Builds the descriptor with which a queue's worker runs the tasks of a run on its own machine. Absent: workers cannot run
     * them.
     * @param theirs the result of `describeForWorkers`, as it came from Redis
     * @throws UserError if this machine, or the worker's options, do not allow it
     */
    adopt?(theirs: unknown, own: AdoptContext): Promise<AdoptedDescriptor<D>>;
}

/** An executor that is built wherever `--mode` runs tasks, once per worker. */
export interface WorkerExecutorKind<
    O extends OptionTable = OptionTable,
    C extends ExecutorConfig = ExecutorConfig,
    D extends ExecutorDescriptor = ExecutorDescriptor,
> extends CommonExecutorKind<O, C, D> {
    readonly runsIn: 'worker';
    create(descriptor: D): Promise<Executor>;
}

/** An executor that is built once, in the main process, because all tasks share its resources, such as a pool of endpoints. */
export interface MainExecutorKind<
    O extends OptionTable = OptionTable,
    C extends ExecutorConfig = ExecutorConfig,
    D extends ExecutorDescriptor = ExecutorDescriptor,
> extends CommonExecutorKind<O, C, D> {
    readonly runsIn: 'main';
    create(descriptor: D, hooks?: ServerHooks): Promise<ServerExecutor>;
    /** Builds the part that runs in workers; shared resources stay with the executor of `create`. */
    createInWorker?(descriptor: D): Promise<Executor>;
    /** Whether `--mode thread` and `--mode process` are supported, too. Absent: no. */
    readonly hasLocalWorkers?: boolean;
    /**
     * The descriptor as it is sent to workers on other machines: without keys or anything else that must stay here.
     * @throws UserError if that is impossible
     */
    describeForWorkers?(descriptor: D): Promise<ExecutorDescriptor>;
    /** Fails at the start of a queue's worker if it lacks something that every run needs, such as a key. @throws UserError */
    checkWorker?(own: AdoptContext): Promise<void>;
}

/** A queue worker's own settings. */
export interface AdoptContext {
    /** `--sandbox`, `--include-dir` and languages of the worker; everything else has the defaults of a run. */
    readonly judging: JudgingSettings;
    /** Folder for scratch files; exists and is used only by this worker. */
    readonly scratch: string;
    /** Used in names of this worker's temporary files. */
    readonly holder: string;
    /** `--allow exec`: whether commands and modules that a run names may be run. */
    readonly mayRunCommands: boolean;
    /** The only endpoints that it may use, and where their keys are stored. */
    readonly endpoints: OwnEndpoints;
}

/** `--endpoint`, `--provider` and `--api-key-env` of a worker. */
export interface OwnEndpoints {
    readonly given: readonly EndpointSetting[];
    readonly providers: readonly ProviderName[];
    readonly apiKeyEnv: string | null;
}

export interface AdoptedDescriptor<D extends ExecutorDescriptor = ExecutorDescriptor> {
    readonly descriptor: D;
    /** Languages that can run here, and the sandbox, if programs are judged. */
    readonly languages?: readonly string[];
    readonly sandbox?: string;
    /** Folder below which tasks store output files, if they do. Absolute. */
    readonly outputs?: string;
    /** Tasks that one process may run concurrently, because they only wait and run no foreign code; absent: one. */
    readonly tasksInProcess?: number;
}

/** Any executor, from the callers' point of view. */
export type ExecutorKind = WorkerExecutorKind | MainExecutorKind;

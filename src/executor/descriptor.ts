/** Descriptors of the executors that there are, for registry.ts. */
export type KnownDescriptor =
    | JudgeDescriptor
    | ExecDescriptor
    | ModuleDescriptor
    | SandboxFusionDescriptor
    | GoJudgeDescriptor;

export type SandboxChoice = 'auto' | 'bwrap' | 'rlimit' | 'none';
export type SandboxKind = Exclude<SandboxChoice, 'auto'>;
export type KeepOutput = 'none' | 'failed' | 'all';

/** What every executor that judges needs to know. */
export interface JudgingOptions {
    /** `--all-tests`: go on after the first test that is not passed. */
    readonly allTests: boolean;
    readonly keepOutput: KeepOutput;
    /** `--output-limit`: bytes of output kept of a test. */
    readonly outputLimit: number;
}

/** How programs and checkers run on this machine. */
export interface LocalOptions {
    readonly sandbox: SandboxKind;
    /** `--include-dir`: where checkers find testlib.h. */
    readonly includeDirs: readonly string[];
    /** Folder for scratch files and compiled programs of this run; exists, is ours alone. */
    readonly scratch: string;
    /** Folder of compiled submissions kept between runs. */
    readonly compileCache: string;
    /** `--python2-as-3` */
    readonly python2As3: boolean;
    /** `languages` of the config file: adds to or replaces rows of the language table. */
    readonly languages: Readonly<Record<string, LanguageOverride>>;
}

/** A row of the language table as a config file gives it. `{source}`, `{dir}`, `{out}`, `{memory_mb}` are replaced. */
export interface LanguageOverride {
    readonly compile?: readonly string[];
    readonly run?: readonly string[];
    readonly extensions?: readonly string[];
    readonly source?: string;
}

export interface JudgeDescriptor extends JudgingOptions, LocalOptions {
    readonly kind: 'judge';
}

/** What `{...}` in a command may stand for. */
export const PLACEHOLDERS: readonly string[] = ['id', 'group', 'index', 'input'];

export interface ExecDescriptor {
    readonly kind: 'exec';
    /** Template: `{id} {group} {index} {input}` are replaced; `{input}` is the path of a JSON file with the task's data. */
    readonly argv: readonly [string, ...string[]];
    /** `--exit-verdict code=Verdict`; 0 is Accepted. */
    readonly exitVerdicts: Readonly<Record<string, string>>;
    /** Seconds of wall time. */
    readonly timeout: number;
    readonly keepOutput: KeepOutput;
    readonly outputLimit: number;
    readonly scratch: string;
}

export interface ModuleDescriptor {
    readonly kind: 'module';
    /** Absolute path. */
    readonly file: string;
    /** `default` unless `--module file#name` says otherwise. */
    readonly exportName: string;
    /** Seconds of wall time. */
    readonly timeout: number;
}

export interface EndpointOptions {
    readonly url: string;
    readonly concurrency: number | null;
    /** Requests a second. */
    readonly rate: number | null;
    /** Name of the environment variable that holds the token, or a file; never the token itself. */
    readonly token: { readonly env: string } | { readonly file: string } | null;
    readonly headers: Readonly<Record<string, string>>;
}

export interface ServerOptions {
    readonly endpoints: readonly EndpointOptions[];
    readonly retryEndpoints: readonly EndpointOptions[];
    /** Adaptive limits halve on a rate error and grow by one after a run of successes. */
    readonly limits: 'fixed' | 'adaptive';
    /** Seconds to wait for any endpoint to come back before the run gives up; Infinity cannot cross JSON: null means for ever. */
    readonly endpointWait: number | null;
    /** `--first-timeout`, seconds. */
    readonly firstTimeout: number | null;
}

export interface SandboxFusionDescriptor extends JudgingOptions, LocalOptions, ServerOptions {
    readonly kind: 'sandbox-fusion';
    /** `/run_code` with our checkers, or `/submit` as the earlier tools called it. */
    readonly api: 'run_code' | 'submit';
}

export interface GoJudgeDescriptor extends JudgingOptions, LocalOptions, ServerOptions {
    readonly kind: 'go-judge';
}

import type { LimitOptions } from '../model/limits.js';
import type { EndpointSetting, LanguageSetting, StoredOptions } from './option.js';
import type { CheckerSetting } from './values/checker.js';

/** Everything that later stages need to know about a run: checked, complete, all paths absolute. */
export interface RunConfig {
    /** Where the run was started. */
    readonly cwd: string;
    /** Files, folders or globs, absolute, in the order given; empty: none is known. */
    readonly datasets: readonly string[];
    /** `--dir`: the results directory. */
    readonly dir: string;
    /** Folder of this directory's run.json, locks and caches: `<checkpoints>/<name of dir>`. */
    readonly checkpoints: string;
    /** `--format`; null: recognised. */
    readonly format: string | null;
    readonly skipBadRows: boolean;
    readonly part: Part;
    /** `--rerun`, as given. */
    readonly rerun: readonly string[];
    readonly dryRun: boolean;
    readonly executor: ExecutorConfig;
    readonly limits: LimitOptions;
    readonly judging: JudgingConfig;
    /** Whether entries hold the source. */
    readonly keepSource: boolean;
    readonly retries: number;
    readonly tleRetries: number;
    /** Tasks at once; null: the sum of the endpoints' (set for every other executor). */
    readonly concurrency: number | null;
    readonly mode: Mode;
    /** Seconds that running tasks get after the first signal. */
    readonly grace: number;
    readonly takeOver: boolean;
    readonly display: DisplayConfig;
    /** What run.json keeps of it: no secrets, nothing that is not restored. */
    readonly runOptions: StoredOptions;
}

export type Mode = 'thread' | 'process' | 'async';

/** The part of the samples that was asked for; null and empty: all. */
export interface Part {
    readonly only: readonly string[];
    readonly limit: number | null;
    readonly shard: Shard | null;
}

/** `--shard 2/4` is `{index: 2, count: 4}`. */
export interface Shard {
    readonly index: number;
    readonly count: number;
}

export type ExecutorConfig =
    | { readonly kind: 'judge' }
    | {
          readonly kind: 'exec';
          readonly argv: readonly [string, ...string[]];
          readonly exitVerdicts: Readonly<Record<string, string>>;
          /** What goes into fingerprints beside a task's data. */
          readonly identity: string;
      }
    | {
          readonly kind: 'module';
          /** Absolute. */
          readonly file: string;
          readonly exportName: string;
          /** What goes into fingerprints: the path relative to the folder that holds `dir`, and the export. */
          readonly identity: string;
      }
    | ({ readonly kind: 'sandbox-fusion'; readonly api: 'run_code' | 'submit' } & ServerConfig)
    | ({ readonly kind: 'go-judge' } & ServerConfig);

export interface ServerConfig {
    /** As given: ranges and comma lists are expanded by src/endpoint. */
    readonly endpoints: readonly EndpointSetting[];
    readonly retryEndpoints: readonly EndpointSetting[];
    readonly limits: 'fixed' | 'adaptive';
    /** Seconds; null: for ever. */
    readonly endpointWait: number | null;
    /** Seconds; null: off. */
    readonly firstTimeout: number | null;
}

export interface JudgingConfig {
    /** `--checker`; null: the dataset's own. */
    readonly checker: CheckerSetting | null;
    readonly includeDirs: readonly string[];
    readonly allTests: boolean;
    readonly sandbox: 'auto' | 'bwrap' | 'rlimit' | 'none';
    readonly python2As3: boolean;
    readonly languages: Readonly<Record<string, LanguageSetting>>;
    readonly keepOutput: 'none' | 'failed' | 'all';
    /** Bytes. */
    readonly outputLimit: number;
}

export interface DisplayConfig {
    readonly json: boolean;
    readonly quiet: boolean;
    readonly logFile: string | null;
    readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
}

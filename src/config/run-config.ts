import type { JudgingSettings } from '../executor/executor-kind.js';
import type { KnownExecutorConfig } from '../executor/kinds.js';
import type { LimitOptions } from '../model/limits.js';
import type { RerunRequest } from '../model/rerun.js';
import type { Shard } from '../model/shard.js';
import type { HaltRule } from '../model/stop.js';
import type { StoredOptions } from './option.js';
import type { CheckerSetting } from './values/checker.js';

/** Everything that later stages need to know about a run: validated and complete, with absolute paths only. */
export interface RunConfig {
    /** Where the run was started. */
    readonly cwd: string;
    /** Files, folders or globs, absolute, in the order given; empty if none is known. */
    readonly datasets: readonly string[];
    /** `--dir`: the results directory. */
    readonly dir: string;
    /** Folder of this directory's run.json, locks and caches: `<checkpoints>/<name of dir>`. */
    readonly checkpoints: string;
    /** `--format`; null: recognised. */
    readonly format: string | null;
    readonly skipBadRows: boolean;
    /** `--sample-tests` */
    readonly sampleTests: boolean;
    /** `--rows-per-sample` */
    readonly rowsPerSample: number;
    readonly part: Part;
    /** `--rerun` */
    readonly rerun: readonly RerunRequest[];
    readonly dryRun: boolean;
    readonly executor: KnownExecutorConfig;
    readonly limits: LimitOptions;
    readonly judging: JudgingConfig;
    /** Whether stored results include the source. */
    readonly keepSource: boolean;
    /** Number of new results after which this start stops; null: when all is done. */
    readonly stopAfter: number | null;
    /** When failed tasks stop the run; null: never. */
    readonly halt: HaltRule | null;
    readonly retries: number;
    readonly tleRetries: number;
    /** Tasks at once; null: the sum of the endpoints' limits (other executors always have a number). */
    readonly concurrency: number | null;
    readonly mode: Mode;
    /** Whether the user chose the mode; if not, a module may choose another. */
    readonly isModeGiven: boolean;
    /** The Redis server of `--mode queue`; null: none was named. */
    readonly redis: RedisConfig | null;
    /** Seconds that a worker pauses between two tasks. */
    readonly delay: number;
    /** Tasks started a second, at most; null: no limit. */
    readonly rate: number | null;
    /** Seconds before a failed task is first tried again, and the most before any further try. */
    readonly retryDelay: { readonly first: number; readonly most: number };
    /** Tasks handed out at a time, the next ones only when all of them have ended; 0: one by one, as workers become free. */
    readonly batchSize: number;
    /** Seconds that running tasks are given after the first signal. */
    readonly grace: number;
    readonly takeOver: boolean;
    readonly display: DisplayConfig;
    readonly collecting: CollectingConfig;
    /** The options stored in run.json: no secrets, and only those that are restored. */
    readonly runOptions: StoredOptions;
}

export type Mode = 'thread' | 'process' | 'async' | 'queue';

/** How to reach a Redis server. */
export interface RedisConfig {
    /** May hold a password, or a reference to one (`{env:NAME}`). */
    readonly address: string;
    /** Absolute; null: none. */
    readonly passwordFile: string | null;
    /** CA certificates for the server's certificate. Absolute; null: those that Node trusts. */
    readonly caFile: string | null;
}

/** The part of the samples to run; null and empty values do not restrict it. */
export interface Part {
    readonly only: readonly string[];
    /** Ids that a command chose; null or absent: no restriction. */
    readonly ids?: ReadonlySet<string> | null;
    readonly limit: number | null;
    readonly shard: Shard | null;
}

export interface JudgingConfig extends JudgingSettings {
    /** `--checker`; null: the dataset's own. */
    readonly checker: CheckerSetting | null;
}

/** Whether the run adds its records to the results database, and where that is. */
export interface CollectingConfig {
    readonly enabled: boolean;
    /** Absolute. */
    readonly database: string;
    /** Absolute: the spool. */
    readonly tempDir: string;
    /** Null: the format that the database has. */
    readonly storage: 'json' | 'parquet' | null;
}

export interface DisplayConfig {
    readonly json: boolean;
    readonly quiet: boolean;
    readonly logFile: string | null;
    readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
    /** Whether traces are sent to LangSmith; `auto`: as LANGSMITH_TRACING says. */
    readonly langSmith: 'on' | 'off' | 'auto';
}

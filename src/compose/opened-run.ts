import type { RemovedSamples } from '../model/directory-sample.js';
import type { TaskFunction } from '../executor/function.js';
import type { EndpointState, PlanCounts, RunEnd, RunEvent } from '../model/event.js';
import type { StopReason } from '../model/stop.js';
import type { WorkEstimate } from '../model/work-estimate.js';
import type { EarlierImport } from '../run/earlier-import.js';
import type { GeneratedDataset } from './generated-dataset.js';
import type { RowSource } from './spool-rows.js';

/** A run that is planned but not started: its directory is held and its plan is available. */
export interface OpenedRun {
    readonly plan: RunPlan;
    /** Calls `listener` for every event from now on. There are none before `start`. */
    onEvent(listener: (event: RunEvent) => void): void;
    /** Starts the run; the promise resolves when it has ended and everything is saved and released. May be called once. */
    start(): Promise<RunEnd>;
    /** First call: start no more tasks and give running ones the grace period. Second call: end them at once. */
    stop(reason: StopReason): void;
    setConcurrency(concurrency: number): void;
    /** Current figures of each server; empty before the first task, and if tasks need no servers. */
    endpoints(): readonly EndpointState[];
    /** Releases the directory without running. */
    close(): Promise<void>;
}

/** A sample with tasks to run. */
export interface DueSample {
    readonly sample: string;
    readonly due: number;
    readonly dueBy: PlanCounts['dueBy'];
}

/** What is left to run, as data. */
export interface RunPlan {
    readonly dir: string;
    readonly datasets: readonly { readonly path: string; readonly format: string }[];
    /** The limits that apply, in words; null if nothing is judged. */
    readonly limits: string | null;
    /** How outputs are compared, in words; null if nothing is judged. */
    readonly comparison: string | null;
    readonly whole: { readonly samples: number; readonly tasks: number };
    readonly part: PlanCounts;
    /** Samples with tasks to run, in order; created at each access. */
    readonly due: readonly DueSample[];
    /** The same samples one by one, without a list of perhaps a million. */
    readonly eachDue: () => Iterable<DueSample>;
    /** Reasons why tasks would be skipped, with counts; only in a dry run. */
    readonly skips?: Readonly<Record<string, number>>;
    /** Rows left out because of `--skip-bad-rows`, and files left out because they are not datasets or cannot be read. */
    readonly badRows: readonly string[];
    /** Samples with results that the datasets no longer have; only searched for in a dry run. */
    readonly removed?: RemovedSamples;
    /** Estimated cost of the tasks to run; only in a dry run, if they cost anything. */
    readonly estimate?: WorkEstimate;
    /** What is taken over from results of the earlier tools; absent if there are none. */
    readonly earlier?: EarlierImport;
}

export interface OpenRunOptions {
    /** The bundled dataset, for a start without datasets. */
    readonly examples: string;
    /** The dataset that a command generates; the run then has no other one. */
    readonly generated?: GeneratedDataset;
    /** A results database whose records complete tasks that have no result yet (`--top-up-from`). Absolute. */
    readonly topUpFrom?: string;
    /** Rows to use in place of datasets. */
    readonly rows?: RowSource;
    /** Runs the tasks of the executor `function`. */
    readonly task?: TaskFunction;
    /** Called with lines for people, from now until the run ends. */
    readonly onNotice: (message: string, level: 'info' | 'warning') => void;
    /** Aborts planning, and the wait for a directory that another run may still hold. */
    readonly signal?: AbortSignal;
}

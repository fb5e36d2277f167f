import type { RemovedSamples } from '../model/directory-sample.js';
import type { TaskFunction } from '../executor/function.js';
import type { EndpointState, PlanCounts, RunEnd, RunEvent } from '../model/event.js';
import type { StopReason } from '../model/stop.js';
import type { WorkEstimate } from '../model/work-estimate.js';
import type { EarlierImport } from '../run/earlier-import.js';
import type { GeneratedDataset } from './generated-dataset.js';
import type { RowSource } from './spool-rows.js';

/** A run that is planned but not started: its directory is held, its plan can be read. */
export interface OpenedRun {
    readonly plan: RunPlan;
    /** Calls `listener` with every event from now on. Nothing happens before `start`. */
    onEvent(listener: (event: RunEvent) => void): void;
    /** Starts it; the promise resolves when the run has ended and everything is saved and released. Once. */
    start(): Promise<RunEnd>;
    /** First call: start nothing more and give running tasks the grace. Second call: end them now. */
    stop(reason: StopReason): void;
    setConcurrency(concurrency: number): void;
    /** Figures of each server as they are now; none before the first task, and where tasks need no servers. */
    endpoints(): readonly EndpointState[];
    /** Gives the directory back without running. */
    close(): Promise<void>;
}

/** A sample that has work. */
export interface DueSample {
    readonly sample: string;
    readonly due: number;
    readonly dueBy: PlanCounts['dueBy'];
}

/** What is left to do, as data. */
export interface RunPlan {
    readonly dir: string;
    readonly datasets: readonly { readonly path: string; readonly format: string }[];
    /** Which limits hold, in words; null where nothing is judged. */
    readonly limits: string | null;
    /** How outputs are compared, in words; null where nothing is judged. */
    readonly comparison: string | null;
    readonly whole: { readonly samples: number; readonly tasks: number };
    readonly part: PlanCounts;
    /** Samples that have work, in order; made each time that it is asked for. */
    readonly due: readonly DueSample[];
    /** The same one by one: of a million samples no list is made. */
    readonly eachDue: () => Iterable<DueSample>;
    /** Why tasks would be skipped, and how many; of a dry run only. */
    readonly skips?: Readonly<Record<string, number>>;
    /** Rows left out because of `--skip-bad-rows`, and what is not a dataset or cannot be read beside others. */
    readonly badRows: readonly string[];
    /** Samples with results that the datasets no longer hold; looked for by a dry run only. */
    readonly removed?: RemovedSamples;
    /** What the tasks that would run may come to; of a dry run only, where they cost anything. */
    readonly estimate?: WorkEstimate;
    /** What is taken over from results of the earlier tools; absent where there are none. */
    readonly earlier?: EarlierImport;
}

export interface OpenRunOptions {
    /** The bundled dataset, for a start that names none. */
    readonly examples: string;
    /** The dataset that a command makes; the run has no other one. */
    readonly generated?: GeneratedDataset;
    /** A results database whose records finish tasks that have no result yet (`--top-up-from`). Absolute. */
    readonly topUpFrom?: string;
    /** Rows that stand in for the datasets. */
    readonly rows?: RowSource;
    /** What does the tasks of the executor `function`. */
    readonly task?: TaskFunction;
    /** Lines for people, from now until the run ends. */
    readonly onNotice: (message: string, level: 'info' | 'warning') => void;
    /** Ends the planning, and the wait for a directory that another run may still hold. */
    readonly signal?: AbortSignal;
}

import type { Checkpoint, SampleState } from '../model/checkpoint.js';
import type { ComputedLimits, OpenTask } from '../model/entry.js';
import type { DueReason } from '../model/event.js';
import type { Limits } from '../model/limits.js';
import type { TaskInput } from '../model/sample.js';
import type { Rerun } from './rerun.js';

/** What the planner needs to know of one sample. Plain data and one look-up: the planner touches no file. */
export interface PlanInput {
    readonly id: string;
    readonly groups: readonly PlanGroup[];
    /** What its result file says; null if there is none. */
    readonly checkpoint: Checkpoint | null;
    /** Limits its programs run under now, by group; null where no limit decides (no programs) or is not known yet. */
    readonly limits: (group: string) => Limits | null;
    /** Number of tests, for entries that stopped early; 0 where there are none. */
    readonly tests: number;
    readonly computedLimits: ComputedLimits | null;
    /** The group that the sample's limit is computed from; null: its limit is stated, or `--timeout`. */
    readonly measuredGroup: string | null;
    readonly options: PlanOptions;
}

export interface PlanGroup {
    readonly name: string;
    readonly tasks: readonly PlanTask[];
}

export interface PlanTask {
    readonly fingerprint: string;
    /** The fingerprint of 0.1, where that rounded a number of the input; see model/fingerprint.ts. */
    readonly rounded: string | null;
    readonly input: TaskInput;
    /** Why it cannot run here (no toolchain, unknown language), or null. Asked only where no finished entry stands. */
    readonly skip: string | null;
    /** The main source file as text, for matching entries of the earlier tools; read only when asked for. */
    readonly source: () => string | null;
}

export interface PlanOptions {
    /** `--all-tests`: entries that stopped early are due. */
    readonly allTests: boolean;
    readonly rerun: readonly Rerun[];
    /** Compile command by language now: a CompileError judged with another one is due. Empty: not compared. */
    readonly compilers: ReadonlyMap<string, string>;
}

/** What is left to do in one sample, and what its file will hold when that starts. */
export interface SamplePlan {
    readonly state: SampleState;
    readonly due: readonly DueTask[];
    /** Finished entries whose inputs changed, so that their tasks run again: what the guard against mistakes counts. */
    readonly changed: number;
    /** Finished entries that take other labels from the dataset. */
    readonly relabelled: number;
}

export interface DueTask {
    readonly group: string;
    readonly index: number;
    readonly fingerprint: string;
    /** Which of the equal tasks of its group it is, in the dataset's order, from 0. */
    readonly occurrence: number;
    readonly input: TaskInput;
    readonly why: DueReason;
    /** Attempts made so far that count on (a verdict not final yet), or null. */
    readonly open: OpenTask | null;
}

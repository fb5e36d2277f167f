import type { Checkpoint, SampleState } from '../model/checkpoint.js';
import type { ComputedLimits, OpenTask } from '../model/entry.js';
import type { DueReason } from '../model/event.js';
import type { Limits } from '../model/limits.js';
import type { TaskInput } from '../model/sample.js';
import type { Rerun } from './rerun.js';

/** What the planner needs to know about one sample. Plain data and one look-up; the planner does not access files. */
export interface PlanInput {
    readonly id: string;
    readonly groups: readonly PlanGroup[];
    /** Contents of the sample's result file; null if there is none. */
    readonly checkpoint: Checkpoint | null;
    /** Current limits for programs, by group; null if no limit applies (no programs) or it is not known yet. */
    readonly limits: (group: string) => Limits | null;
    /** Number of tests, to detect entries that stopped early; 0 if there are none. */
    readonly tests: number;
    readonly computedLimits: ComputedLimits | null;
    /** The group that the sample's limit is computed from; null if its limit is stated or comes from `--timeout`. */
    readonly measuredGroup: string | null;
    readonly options: PlanOptions;
}

export interface PlanGroup {
    readonly name: string;
    readonly tasks: readonly PlanTask[];
}

export interface PlanTask {
    readonly fingerprint: string;
    /** Fingerprint that 0.1 gave this task, if 0.1 rounded a number in its input; see model/fingerprint.ts. */
    readonly rounded: string | null;
    readonly input: TaskInput;
    /** Why the task cannot run here (no toolchain, unknown language), or null. Only used if there is no finished entry. */
    readonly skip: string | null;
    /** The main source file as text, for matching entries of the earlier tools; read on demand. */
    readonly source: () => string | null;
}

export interface PlanOptions {
    /** `--all-tests`: entries that stopped early are due. */
    readonly allTests: boolean;
    readonly rerun: readonly Rerun[];
    /** Current compile command by language. A CompileError from a different command is due. Empty: not compared. */
    readonly compilers: ReadonlyMap<string, string>;
}

/** What is left to do in one sample, and what its file will contain when that starts. */
export interface SamplePlan {
    readonly state: SampleState;
    readonly due: readonly DueTask[];
    /** Finished entries whose inputs changed, so that their tasks run again. The guard against mistakes counts them. */
    readonly changed: number;
    /** Finished entries whose labels in the dataset changed. */
    readonly relabelled: number;
}

export interface DueTask {
    readonly group: string;
    readonly index: number;
    readonly fingerprint: string;
    /** Number of equal tasks before it in its group, in the dataset's order. */
    readonly occurrence: number;
    readonly input: TaskInput;
    readonly why: DueReason;
    /** Earlier attempts that still count (a verdict not final yet), or null. */
    readonly open: OpenTask | null;
}

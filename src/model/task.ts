import type { JudgeResult, RunResult, TestResult } from './entry.js';
import type { Failure } from './failure.js';
import type { JsonObject } from './json.js';
import type { Limits } from './limits.js';
import type { TaskInput } from './sample.js';
import type { TaskSpan } from './span.js';
import type { Verdict } from './verdict.js';

/** The unit of work, of resume and of retry. Plain data: it crosses threads, processes and queues. */
export interface Task {
    readonly sample: string;
    readonly group: string;
    /** Position in the group, in the current dataset. */
    readonly index: number;
    readonly fingerprint: string;
    readonly input: TaskInput;
    /** null for tasks that are not programs. */
    readonly limits: Limits | null;
    /** Folder of the staged sample (holds `sample.json`, a `StagedSample`); null for tasks that are not programs. */
    readonly stage: string | null;
    /** 1 for the first try. */
    readonly attempt: number;
    /**
     * Tests already judged by an earlier attempt whose last verdict is being confirmed: the attempt starts with test number
     * `confirmed.length`. Empty otherwise.
     */
    readonly confirmed: readonly TestResult[];
    /** Set if this attempt is to confirm an earlier one: why that one was in doubt. */
    readonly confirming: Suspicion | null;
    /**
     * Whether this attempt settles that doubt, so that no other one follows for the same reason. True if nothing is to be
     * confirmed.
     */
    readonly settles: boolean;
    /** What earlier attempts recorded of a task with several steps, by step; absent: nothing. */
    readonly steps?: JsonObject;
    /** The span of this attempt, in the format of the W3C header `traceparent`; absent if the run is not traced. */
    readonly traceparent?: string;
}

/** A step of a task that must be on disk before the next one begins. */
export interface TaskStep {
    readonly name: string;
    readonly value: JsonObject;
}

/** One attempt as the worker measured it. */
export interface Served {
    readonly outcome: Outcome | UnwritableOutcome;
    /** Milliseconds since the epoch. */
    readonly startedAt: number;
    /** Seconds. */
    readonly duration: number;
}

/** The outcome of one attempt at a task. */
export type Outcome = VerdictOutcome | FailureOutcome | AbortOutcome;

export interface VerdictOutcome {
    readonly kind: 'verdict';
    readonly verdict: Verdict;
    /** A judge's result, or the JSON object that a command or a module returned (it carries `accepted` too). */
    readonly result: JudgeResult | JsonObject;
    /** Set if one more attempt should confirm the verdict before it is final. */
    readonly suspect: Suspicion | null;
    /** True if tests were left out because of the doubt although the result needs them, so that it cannot be final. */
    readonly isPartial?: boolean;
    /** The limits that were applied, if they differ from the task's. */
    readonly limits?: Limits;
    readonly by: AttemptedBy;
}

export interface FailureOutcome {
    readonly kind: 'failure';
    readonly failure: Failure;
    readonly by: AttemptedBy | null;
    /** What the command printed, if output is kept. */
    readonly run?: RunResult;
}

/** The run was asked to stop while the attempt ran. Never recorded. */
export interface AbortOutcome {
    readonly kind: 'abort';
}

/** Output that should be kept could not be written: the run must stop, and the task runs again. Never recorded. */
export interface UnwritableOutcome {
    readonly kind: 'unwritable';
    /** Path of the file. */
    readonly file: string;
    readonly why: string;
}

/** Who made an attempt. */
export interface AttemptedBy {
    /** `local`, or the endpoint's address without secrets. */
    readonly api_used: string;
    /** `bwrap`, `rlimit`, `none`; absent where a server sandboxes. */
    readonly sandbox?: string;
    /** Version of the control groups that bounded its memory; absent: none did. */
    readonly cgroup?: number;
    /** Compiler or interpreter of a worker on another machine, with its version: `CPP g++ 14.2.0`. */
    readonly toolchain?: string;
}

/**
 * Why a verdict is not final yet.
 * - `near-time`: more CPU than the limit, less than 1.25 x; or ended by the wall-clock bound with CPU below the limit.
 * - `signal`: it or its compiler died by a signal that nobody here sent and no limit explains.
 * - `no-output`: a server's time-out without any output: blocked, or just buffered.
 * - `machine`: a server's program, or a compiler anywhere, ended in a way that suggests trouble with the machine (no such
 *   command, no space, killed).
 * - `compile-limit`: its compiler was stopped at a limit on CPU time, memory or output.
 * - `first-timeout`: timed out at `--first-timeout`, its output so far a proper prefix of the expected output.
 */
export type Suspicion = 'near-time' | 'signal' | 'no-output' | 'machine' | 'compile-limit' | 'first-timeout';

/** A line that a task's executor wrote for the run's log, or a span for its trace. */
export interface TaskLog {
    readonly sample: string;
    readonly group: string;
    readonly index: number;
    readonly attempt: number;
    readonly message: string;
    /** Set if it is a span; then `message` is its name. */
    readonly span?: TaskSpan;
}

import type { FailureReason } from './failure.js';
import type { Json, JsonObject } from './json.js';
import type { Limits } from './limits.js';
import type { ExpectedScore } from './scoring.js';
import type { Verdict } from './verdict.js';

/*
 * The content of a result file. Names are those on disk (snake case), so that users' scripts, this code and the documents use the
 * same ones. docs/result-files.md describes each.
 */

/** One finished task in a result file. */
export interface Entry {
    /** Position in the dataset's list. The position in the result file's array means nothing. */
    readonly index: number;
    readonly language?: string;
    /** The source (main file), unless `--no-keep-source`. */
    readonly solution?: string;
    /** The row of a list, unless `--no-keep-source`; a number that a double does not hold is written as text. */
    readonly row?: Json;
    /**
     * The row as JSON text, its numbers as the dataset writes them; only if `row` prints one of them differently (`1.0`,
     * `1e400`).
     */
    readonly row_text?: string;
    /** Where the task lies in an evaluation matrix: `{model, prompt_type, ..., instance}`. */
    readonly cell?: JsonObject;
    readonly result: JudgeResult | JsonObject;
    /** The record of a results database that it was made from (`--top-up-from`); absent if this run did the task. */
    readonly adopted?: Adopted;
    readonly limits?: Limits;
    readonly attempts: readonly Attempt[];
    readonly fingerprint: string;
    /** Only if the dataset names its tasks. */
    readonly name?: string;
    readonly expected?: readonly Verdict[];
    readonly expected_scores?: readonly ExpectedScore[];
    /** Position among the equal tasks of its group, in the dataset's order; absent: 0, the first. */
    readonly occurrence?: number;
    /** How often the task's record has changed, from 1; absent: 1. Assigned by the checkpoint store. */
    readonly revision?: number;
}

/** Where an adopted entry comes from. It is never collected: its record is in a database already. */
export interface Adopted {
    readonly database: string;
    /** The run, the sample and, unless it is 0, the occurrence of the record. */
    readonly run: string;
    readonly sample: string;
    readonly occurrence?: number;
}

/** One try at a task; all are kept. Has either `verdict` or `failure`, never both. */
export interface Attempt {
    readonly attempt: number;
    readonly verdict?: Verdict;
    readonly failure?: FailureReason;
    readonly message?: string;
    /** What a command of `--executor exec` printed in a failed attempt, if output is kept. */
    readonly run_result?: RunResult;
    /** ISO 8601, UTC. */
    readonly started_at: string;
    /** Seconds. */
    readonly duration: number;
    readonly api_used: string;
    readonly worker_id: string;
    readonly sandbox?: string;
    /**
     * Version of the control groups that bounded its memory on this machine; absent: its memory was bounded by watching its
     * processes.
     */
    readonly cgroup?: number;
    /** Language and version of what compiled or ran it, if that was a worker on another machine. */
    readonly toolchain?: string;
}

export interface JudgeResult {
    readonly accepted: boolean;
    readonly verdict: Verdict;
    /** True if a test's time came within 10 % of the limit, on either side. */
    readonly near_limit?: true;
    /** For a problem with scores. */
    readonly score?: number;
    /** The best score that the problem allows, if it sets one. */
    readonly best_score?: number;
    /** Test groups of a problem with scores, in the order in which they ended. */
    readonly groups?: readonly GroupResult[];
    readonly tests: readonly TestResult[];
    /** For a CompileError: the compiler's version and command. The task runs again when they change. */
    readonly compiler?: string;
    /** What was changed in a program written for Windows judges before it was compiled (`i64-format`, `conio.h`), if anything. */
    readonly adapted?: readonly string[];
}

export interface GroupResult {
    /** `sample`, `secret/group1`. */
    readonly name: string;
    readonly verdict: Verdict;
    readonly score: number;
    /** True if the group was not judged to its end because another verdict, of a group that it depends on, decided it. */
    readonly skipped?: true;
}

export interface TestResult {
    readonly passed: boolean;
    /** Its name in the dataset; absent for passed tests (except of a problem with scores), and if the earlier tools ran it. */
    readonly name?: string;
    /** Absent when passed. */
    readonly verdict?: Verdict;
    /** For a problem with scores. */
    readonly score?: number;
    /** Seconds; null if the sandbox cannot measure it. */
    readonly cpu_time: number | null;
    readonly wall_time: number | null;
    /** Peak, bytes; null if the sandbox cannot measure it. */
    readonly memory: number | null;
    readonly near_limit?: true;
    readonly exec_info: ExecInfo;
}

/** The first place where an output differs from the expected one, as texts, with up to 256 bytes before and after it. */
export interface FirstDifference {
    /** In the expected output, from 1. */
    readonly line: number;
    readonly expected: string;
    readonly got: string;
}

export interface ExecInfo {
    readonly status: 'Success' | 'Failed' | 'SandboxError';
    readonly compile_result?: RunResult | null;
    readonly run_result?: RunResult | null;
    /** Why the checker did not accept the output. Cut at `--output-limit`; then `checker_message_cut` holds how many bytes there were. */
    readonly checker_message?: string;
    readonly checker_message_cut?: number;
    /** Where the output first differs from the expected one, if one of our own comparisons rejected it. */
    readonly first_difference?: FirstDifference;
    /**
     * For an interactive problem: the dialogue, lines of the validator after `<`, of the program after `>`. Cut at
     * `--output-limit`; then `transcript_cut` holds how many bytes there were.
     */
    readonly transcript?: string;
    readonly transcript_cut?: number;
    /** The server seems to have cut the output, so a wrong answer or a time-out cannot be trusted. */
    readonly truncated?: true;
}

export interface RunResult {
    readonly status: 'Finished' | 'Error' | 'TimeLimitExceeded';
    /** Seconds. */
    readonly execution_time: number;
    readonly return_code: number | null;
    /** Such as `SIGSEGV`, if a signal ended the program. */
    readonly signal?: string;
    /**
     * Cut at `--output-limit`; then `stdout_cut` holds how many bytes were printed. Absent if it was not kept, or is in a file.
     */
    readonly stdout?: string;
    readonly stderr?: string;
    /** For a command: output of more than 16 KiB, or that is not UTF-8. */
    readonly stdout_file?: OutputFile;
    readonly stderr_file?: OutputFile;
    readonly stdout_cut?: number;
    readonly stderr_cut?: number;
}

/** How an entry refers to output in a file. */
export interface OutputFile {
    /** Relative to the results directory: `.outputs/<sha256>`. */
    readonly path: string;
    /** Size of the file. `stdout_cut` holds how many bytes were printed, if that is more. */
    readonly bytes: number;
    /** SHA-256 of the file's bytes, 64 hex digits. */
    readonly sha256: string;
}

/** A run whose output was kept. */
export interface CapturedRun extends RunResult {
    readonly stdout: string;
    readonly stderr: string;
}

/** A task given up after `--retries` (in `failures`), or not final yet (in `pending`). */
export interface OpenTask {
    readonly group: string;
    readonly index: number;
    readonly fingerprint: string;
    /** The reason of a failure, or in `pending` the suspicion. */
    readonly reason: string;
    readonly message: string;
    readonly attempts: readonly Attempt[];
    /** As in an entry. */
    readonly cell?: JsonObject;
    /** In `pending`: the tests judged so far, the last being the one to be confirmed. */
    readonly tests?: readonly TestResult[];
    /** For a task with several steps: the outcome of each finished step, by its name. Finished steps are not repeated. */
    readonly steps?: JsonObject;
    /** As in an entry. */
    readonly occurrence?: number;
    /**
     * As in an entry; assigned by the checkpoint store. In `pending`: that of the failure recorded before, or absent if there was
     * none, because a pending task has no record of its own.
     */
    readonly revision?: number;
}

/** A task that cannot run here. Counted in no total and no rate. */
export interface SkippedTask {
    readonly group: string;
    readonly index: number;
    readonly reason: string;
}

/** Limits computed for a sample that states none, and what they were computed from. Seconds. */
export interface ComputedLimits {
    readonly time: number;
    readonly slowest: number;
    /** Fingerprint of the group that it was computed from: SHA-256 over the group's fingerprints in order. */
    readonly group_fingerprint: string;
    /** ISO 8601, UTC; absent in files of 0.1. */
    readonly computed_at?: string;
    /** How busy this machine was then; absent if the programs ran elsewhere, and in files of 0.1. */
    readonly load?: MachineLoad;
    /** Accepted programs of the group that `--timeout` cut and that therefore do not count; absent: none. */
    readonly cut?: { readonly programs: number; readonly timeout: number };
}

export interface MachineLoad {
    /** Load average of the last minute. */
    readonly average: number;
    readonly processors: number;
}

/**
 * Whether more processes wanted to run than there were processors: CPU times, and limits computed from them, are then too long.
 */
export const isOverloaded = ({ average, processors }: MachineLoad): boolean => average > processors * 1.25;

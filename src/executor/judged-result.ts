import type {
    CapturedRun,
    ExecInfo,
    FirstDifference,
    GroupResult,
    JudgeResult,
    RunResult,
    TestResult,
} from '../model/entry.js';
import type { Suspicion } from '../model/task.js';
import type { Verdict } from '../model/verdict.js';
import type { Comparison } from './checker/comparison.js';
import { cutText, type Output } from './cut-text.js';
import type { JudgingOptions } from './descriptor.js';

/*
 * Converts runs of programs to the format of result files, for every executor that judges, so that a program gets the same entry
 * wherever it ran. Output, compiler messages and checker messages are cut at `--output-limit` bytes, never inside a character,
 * and cuts are recorded.
 */

/** Verdicts that follow from how a program ended, before its output is examined. */
export type RunVerdict = Exclude<Verdict, 'Accepted' | 'WrongAnswer' | 'CompileError'>;

/** How a program ended, wherever it ran, and what that means. Units are seconds and bytes; null: not measured there. */
export interface ProgramRun {
    /** null: it ended normally, so its output decides. */
    readonly verdict: RunVerdict | null;
    /** Why the verdict is not final; `certain`: it is final; `unmeasured`: unknown, since the server measures only wall time. */
    readonly doubt: Suspicion | 'certain' | 'unmeasured';
    /** Its time was within 10 % of the limit. */
    readonly nearLimit: boolean;
    readonly cpuTime: number | null;
    readonly wallTime: number | null;
    readonly memory: number | null;
    readonly returnCode: number | null;
    /** `SIGSEGV`, if it was killed by a signal. */
    readonly signal: string | null;
    readonly stdout: Output;
    readonly stderr: Output | string;
    /** For an interactive problem: the conversation of program and validator. */
    readonly transcript?: string;
    /** Total bytes printed, if `stdout` or `stderr` holds only the beginning. */
    readonly stdoutBytes?: number;
    readonly stderrBytes?: number;
}

/** A test's result and, if the program ended normally, the result of comparing its output. */
export interface JudgedTest {
    readonly name: string;
    readonly run: ProgramRun;
    /** null if `run.verdict` decides. */
    readonly comparison: Comparison | null;
    /** The server seems to have lost the end of the output. */
    readonly truncated: boolean;
    /** Present if a comparison of ours did not accept the output; null or absent: nothing to show. */
    readonly difference?: FirstDifference | null;
}

/** One test in the format of result files. */
export function testResult(
    { name, run, comparison, truncated, difference = null }: JudgedTest,
    options: JudgingOptions,
): TestResult {
    const verdict = run.verdict ?? (comparison?.accepted === true ? null : 'WrongAnswer');
    const passed = verdict === null;
    const keep = options.keepOutput === 'all' || (options.keepOutput === 'failed' && !passed);
    const info: ExecInfo = {
        status: run.verdict === null ? 'Success' : 'Failed',
        ...(passed && !keep
            ? {}
            : { compile_result: null, run_result: runResult(run, keep ? options.outputLimit : null) }),
        ...(passed ? {} : checkerMessage(comparison?.message ?? '', options.outputLimit)),
        ...(difference === null || passed ? {} : { first_difference: difference }),
        ...(truncated ? { truncated: true } : {}),
        ...(keep && run.transcript !== undefined ? keptTranscript(run.transcript, options.outputLimit) : {}),
    };
    return {
        passed,
        ...(verdict === null ? {} : { name, verdict }),
        cpu_time: run.cpuTime,
        wall_time: run.wallTime,
        memory: run.memory,
        ...(run.nearLimit ? { near_limit: true } : {}),
        exec_info: info,
    };
}

function keptTranscript(transcript: string, limit: number): Pick<ExecInfo, 'transcript' | 'transcript_cut'> {
    const { text, cutFrom } = cutText(Buffer.from(transcript), limit);
    return { transcript: text, ...(cutFrom === null ? {} : { transcript_cut: cutFrom }) };
}

function checkerMessage(
    message: string,
    limit: number,
): Pick<ExecInfo, 'checker_message' | 'checker_message_cut'> {
    if (message === '') return {};
    const { text, cutFrom } = cutText(message, limit);
    return { checker_message: text, ...(cutFrom === null ? {} : { checker_message_cut: cutFrom }) };
}

/** A run in the format of result files. @param limit most bytes kept of each stream; null: output is left out */
export function runResult(run: ProgramRun, limit: number | null): RunResult {
    return limit === null ? runEnd(run) : toCapturedRun(run, limit);
}

/** A run with its output in the format of result files. @param limit most bytes kept of each stream */
export function toCapturedRun(run: ProgramRun, limit: number): CapturedRun {
    return { ...runEnd(run), ...keptOutput(run, limit) };
}

function runEnd(run: ProgramRun): RunResult {
    return {
        status: runStatus(run.verdict),
        execution_time: run.wallTime ?? run.cpuTime ?? 0,
        return_code: run.returnCode,
        ...(run.signal === null ? {} : { signal: run.signal }),
    };
}

function runStatus(verdict: RunVerdict | null): RunResult['status'] {
    if (verdict === null) return 'Finished';
    return verdict === 'TimeLimitExceeded' ? 'TimeLimitExceeded' : 'Error';
}

type KeptOutput = Pick<CapturedRun, 'stdout' | 'stderr' | 'stdout_cut' | 'stderr_cut'>;

function keptOutput(
    printed: Pick<ProgramRun, 'stdout' | 'stderr' | 'stdoutBytes' | 'stderrBytes'>,
    limit: number,
): KeptOutput {
    const stdout = cutText(printed.stdout, limit, printed.stdoutBytes);
    const stderr = cutText(printed.stderr, limit, printed.stderrBytes);
    return {
        stdout: stdout.text,
        stderr: stderr.text,
        ...(stdout.cutFrom === null ? {} : { stdout_cut: stdout.cutFrom }),
        ...(stderr.cutFrom === null ? {} : { stderr_cut: stderr.cutFrom }),
    };
}

/**
 * The result of a submission that its compiler rejected: a single test represents all, as the program never ran.
 * @param compiler version and command, if known: the entry runs again when they change
 */
export function compileErrorResult(
    compile: CapturedRun,
    options: JudgingOptions,
    compiler: string | null = null,
): JudgeResult {
    const kept = keptOutput(
        {
            stdout: Buffer.from(compile.stdout),
            stderr: compile.stderr,
            ...(compile.stdout_cut === undefined ? {} : { stdoutBytes: compile.stdout_cut }),
            ...(compile.stderr_cut === undefined ? {} : { stderrBytes: compile.stderr_cut }),
        },
        options.outputLimit,
    );
    const test: TestResult = {
        passed: false,
        verdict: 'CompileError',
        cpu_time: null,
        wall_time: null,
        memory: null,
        exec_info: { status: 'Failed', compile_result: { ...compile, ...kept }, run_result: null },
    };
    const result = { accepted: false, verdict: 'CompileError', tests: [test] } as const;
    return compiler === null ? result : { ...result, compiler };
}

/** The results of the groups of a problem with scores. */
export interface ScoreSummary {
    readonly verdict: Verdict;
    readonly score: number | null;
    readonly best: number | null;
    readonly groups: readonly GroupResult[];
}

/**
 * The result of a submission whose tests ran.
 * @param scores null: the problem has none, or not all tests ran; the verdict is that of the first failed test
 */
export function judgeResult(tests: readonly TestResult[], scores: ScoreSummary | null): JudgeResult {
    const failed = tests.find((test) => !test.passed);
    const verdict =
        scores?.verdict ?? (failed === undefined ? 'Accepted' : (failed.verdict ?? 'WrongAnswer'));
    return {
        accepted: verdict === 'Accepted',
        verdict,
        ...(scores === null ? {} : scoreKeys(scores)),
        ...(tests.some((test) => test.near_limit === true) ? { near_limit: true } : {}),
        tests,
    };
}

const scoreKeys = ({ score, best, groups }: ScoreSummary): Partial<JudgeResult> => ({
    score: score ?? 0,
    ...(best === null ? {} : { best_score: best }),
    groups,
});

/** Adds to a result what was changed in the program before it was compiled. */
export function withAdaptations(result: JudgeResult, adapted: readonly string[]): JudgeResult {
    return adapted.length === 0 ? result : { ...result, adapted };
}

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
 * How runs of programs become what result files hold: one place for every executor that judges, so that the same program
 * leaves the same entry wherever it ran. Output, compiler messages and checker messages are cut at `--output-limit` bytes,
 * never inside a character, and what was cut says so.
 */

/** Verdicts that follow from how a program ended, before anybody looks at its output. */
export type RunVerdict = Exclude<Verdict, 'Accepted' | 'WrongAnswer' | 'CompileError'>;

/** How a program ended, wherever it ran, and what that means. Seconds, bytes; null: not measured there. */
export interface ProgramRun {
    /** null: it ended well, its output decides. */
    readonly verdict: RunVerdict | null;
    /** Why that is not final; `certain`: it is; `unmeasured`: nobody can tell, the server measures wall time alone. */
    readonly doubt: Suspicion | 'certain' | 'unmeasured';
    /** Its time came within 10 % of the limit. */
    readonly nearLimit: boolean;
    readonly cpuTime: number | null;
    readonly wallTime: number | null;
    readonly memory: number | null;
    readonly returnCode: number | null;
    /** `SIGSEGV`, where it died by one. */
    readonly signal: string | null;
    readonly stdout: Output;
    readonly stderr: Output | string;
    /** Of an interactive problem: what program and validator said to each other. */
    readonly transcript?: string;
    /** Bytes that were printed, where `stdout` or `stderr` holds only the first of them. */
    readonly stdoutBytes?: number;
    readonly stderrBytes?: number;
}

/** A test's result and, where the program ended well, what comparing its output came to. */
export interface JudgedTest {
    readonly name: string;
    readonly run: ProgramRun;
    /** null where `run.verdict` decides. */
    readonly comparison: Comparison | null;
    /** The server seems to have lost the end of the output. */
    readonly truncated: boolean;
    /** Where a comparison of ours did not accept the output; null or absent: nothing to show. */
    readonly difference?: FirstDifference | null;
}

/** One test as result files hold it. */
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

/** A run as result files show it. @param limit bytes of each stream that are kept; null: output is left out */
export function runResult(run: ProgramRun, limit: number | null): RunResult {
    return limit === null ? runEnd(run) : toCapturedRun(run, limit);
}

/** A run with what it printed, as result files show it. @param limit bytes of each stream that are kept */
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
 * The result of a submission that its compiler refused: one test stands for all, as the program never ran.
 * @param compiler version and command, where they are known: the entry runs again when they change
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

/** What the groups of a problem with scores came to. */
export interface ScoreSummary {
    readonly verdict: Verdict;
    readonly score: number | null;
    readonly best: number | null;
    readonly groups: readonly GroupResult[];
}

/**
 * The result of a submission whose tests ran.
 * @param scores null: the problem has none, or not all tests ran; the verdict is that of the first test that is not passed
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

/** A result that says what was changed in the program before it was compiled. */
export function withAdaptations(result: JudgeResult, adapted: readonly string[]): JudgeResult {
    return adapted.length === 0 ? result : { ...result, adapted };
}

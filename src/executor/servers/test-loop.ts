import type { ExecInfo, JudgeResult, RunResult, TestResult } from '../../model/entry.js';
import type { Failure } from '../../model/failure.js';
import type { Limits } from '../../model/limits.js';
import type { StagedSample, StagedTest } from '../../model/sample.js';
import type { Suspicion, Task } from '../../model/task.js';
import type { Verdict } from '../../model/verdict.js';
import { unreachable } from '../../util/unreachable.js';
import type { JudgingOptions } from '../descriptor.js';
import { utf8Start } from '../judge/run-result.js';
import type { Checked, CheckOutput } from './check-output.js';
import { isCutAnswer, isCutTimeOut, timeFor, timeOutSuspicion } from './outcome.js';

/** How a program ended on a server, and what that means. */
export interface TestRun {
    /** What follows from how it ended; null: it ended well, its output decides. */
    readonly verdict: Exclude<Verdict, 'Accepted' | 'WrongAnswer' | 'CompileError'> | null;
    /** Why that is not final; `certain`: it is; `unmeasured`: nobody can tell, the server measures wall time alone. */
    readonly figures: Suspicion | 'certain' | 'unmeasured';
    /** Its time came within 10 % of the limit. */
    readonly nearLimit: boolean;
    /** Seconds; null where the server does not measure it. */
    readonly cpuTime: number | null;
    readonly wallTime: number | null;
    /** Bytes; null where the server does not measure it. */
    readonly memory: number | null;
    readonly returnCode: number | null;
    /** `SIGSEGV`, where it died by one. */
    readonly signal: string | null;
    readonly output: Buffer;
    readonly stderr: string;
}

/** What came of running one test. */
export type RanTest =
    /** `passed`: what the server itself found, where it compares; otherwise the output is checked here. */
    | { readonly kind: 'ran'; readonly run: TestRun; readonly passed?: boolean }
    | { readonly kind: 'not-compiled'; readonly compile: RunResult }
    | { readonly kind: 'failed'; readonly failure: Failure }
    | { readonly kind: 'abort' };

export interface TestLoop {
    readonly task: Task;
    readonly limits: Limits;
    readonly sample: StagedSample;
    readonly options: JudgingOptions;
    /** `--first-timeout`, seconds. */
    readonly firstTimeout: number | null;
    /** Whether the server may lose the end of a long output. */
    readonly maybeCut: boolean;
    readonly check: CheckOutput;
    /** @param time seconds that the test gets */
    readonly run: (test: StagedTest, time: number) => Promise<RanTest>;
}

export type Judged =
    | { readonly kind: 'judged'; readonly result: JudgeResult; readonly suspect: Suspicion | null }
    | { readonly kind: 'failed'; readonly failure: Failure }
    | { readonly kind: 'abort' };

/** Judges a submission test by test, on whatever runs a test, and stops at the first that is not passed unless all are wanted. */
export async function judgeTests(loop: TestLoop): Promise<Judged> {
    const tests: TestResult[] = [...loop.task.confirmed];
    const begin = tests.length;
    for (const [index, test] of loop.sample.tests.entries()) {
        if (index < begin) continue;
        const confirming = index === begin && loop.task.confirming !== null;
        const time = timeFor(loop.limits.time, loop.firstTimeout, confirming);
        const ran = await loop.run(test, time);
        switch (ran.kind) {
            case 'abort':
            case 'failed':
                return ran;
            case 'not-compiled': {
                const result = compileError(ran.compile, loop.options);
                return { kind: 'judged', result, suspect: null };
            }
            case 'ran': {
                const judged = await judgeRun(loop, test, ran, time, confirming);
                if (judged.kind !== 'tested') return judged;
                const decides = tests.every((earlier) => earlier.passed);
                tests.push(judged.test);
                const { suspect } = judged;
                if (suspect !== null && decides && isOpen(loop, index)) {
                    return { kind: 'judged', result: resultOf(tests), suspect };
                }
                if (!judged.test.passed && !loop.options.allTests) {
                    return { kind: 'judged', result: resultOf(tests), suspect: null };
                }
                break;
            }
            default:
                unreachable(ran, 'test run');
        }
    }
    return { kind: 'judged', result: resultOf(tests), suspect: null };
}

/**
 * Whether a doubt about a test that decides ends the attempt, so that the test is the last and can be repeated. The same rule
 * as on this machine: of the test that is confirmed, only another doubt; of later ones, none if all are wanted.
 */
function isOpen({ task, options }: TestLoop, index: number): boolean {
    return task.confirming === null || index === task.confirmed.length || !options.allTests;
}

type Tested =
    | { readonly kind: 'tested'; readonly test: TestResult; readonly suspect: Suspicion | null }
    | Exclude<Judged, { kind: 'judged' }>;

async function judgeRun(
    loop: TestLoop,
    test: StagedTest,
    ran: Extract<RanTest, { kind: 'ran' }>,
    time: number,
    confirming: boolean,
): Promise<Tested> {
    const { run } = ran;
    const { verdict: ended, figures } = run;
    if (ended === 'TimeLimitExceeded') {
        const truncated = loop.maybeCut && isCutTimeOut(run.output);
        const first = time < loop.limits.time;
        const { checker } = loop.sample;
        const confirms = confirming && loop.task.settles;
        const seen = { output: run.output, figures, truncated, first, confirms, checker };
        const suspect = await timeOutSuspicion({ ...seen, answer: test.answer });
        return { kind: 'tested', test: testResult(loop, test.name, run, ended, null, truncated), suspect };
    }
    if (ended !== null) {
        const settled = figures === 'certain' || figures === 'unmeasured';
        const again = confirming && loop.task.settles && figures === loop.task.confirming;
        const suspect = settled || again ? null : figures;
        return { kind: 'tested', test: testResult(loop, test.name, run, ended, null, false), suspect };
    }
    const checked = await checkRun(loop, test, ran);
    if (checked.kind !== 'checked') return checked;
    const truncated = !checked.accepted && loop.maybeCut && (await isCutAnswer(run.output, test.answer));
    const verdict = checked.accepted ? null : 'WrongAnswer';
    return {
        kind: 'tested',
        test: testResult(loop, test.name, run, verdict, checked.message, truncated),
        suspect: null,
    };
}

async function checkRun(
    loop: TestLoop,
    test: StagedTest,
    ran: Extract<RanTest, { kind: 'ran' }>,
): Promise<Checked> {
    if (ran.passed !== undefined) return { kind: 'checked', accepted: ran.passed, message: '' };
    return loop.check(loop.sample.checker, test, ran.run.output);
}

function testResult(
    loop: TestLoop,
    name: string,
    run: TestRun,
    verdict: Verdict | null,
    said: string | null,
    truncated: boolean,
): TestResult {
    const { keepOutput, outputLimit } = loop.options;
    const passed = verdict === null;
    const keep = keepOutput === 'all' || (keepOutput === 'failed' && !passed);
    const info: ExecInfo = {
        status: run.verdict === null ? 'Success' : 'Failed',
        ...(passed && !keep
            ? {}
            : { compile_result: null, run_result: runResult(run, keep ? outputLimit : 0) }),
        ...(passed || said === null || said === '' ? {} : { checker_message: cut(said, outputLimit).text }),
        ...(truncated ? { truncated: true } : {}),
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

function runResult(run: TestRun, keep: number): RunResult {
    const stdout = cut(run.output, keep);
    const stderr = cut(run.stderr, keep);
    const timedOut = run.verdict === 'TimeLimitExceeded';
    return {
        status: timedOut ? 'TimeLimitExceeded' : run.verdict === null ? 'Finished' : 'Error',
        execution_time: run.wallTime ?? run.cpuTime ?? 0,
        return_code: run.returnCode,
        ...(run.signal === null ? {} : { signal: run.signal }),
        stdout: stdout.text,
        stderr: stderr.text,
        ...(stdout.cut === null ? {} : { stdout_cut: stdout.cut }),
        ...(stderr.cut === null ? {} : { stderr_cut: stderr.cut }),
    };
}

/** Text of at most `keep` bytes, and how many bytes there were if that is less than all. */
function cut(content: Buffer | string, keep: number): { readonly text: string; readonly cut: number | null } {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    return { text: utf8Start(bytes, keep), cut: bytes.length <= keep ? null : bytes.length };
}

function compileError(compile: RunResult, options: JudgingOptions): JudgeResult {
    const stdout = cut(compile.stdout, options.outputLimit);
    const stderr = cut(compile.stderr, options.outputLimit);
    const kept: RunResult = {
        ...compile,
        stdout: stdout.text,
        stderr: stderr.text,
        ...(stdout.cut === null ? {} : { stdout_cut: stdout.cut }),
        ...(stderr.cut === null ? {} : { stderr_cut: stderr.cut }),
    };
    const test: TestResult = {
        passed: false,
        verdict: 'CompileError',
        cpu_time: null,
        wall_time: null,
        memory: null,
        exec_info: { status: 'Failed', compile_result: kept, run_result: null },
    };
    return { accepted: false, verdict: 'CompileError', tests: [test] };
}

/** The verdict of a submission is that of its first test that is not passed. */
function resultOf(tests: readonly TestResult[]): JudgeResult {
    const failed = tests.find((test) => !test.passed);
    const verdict = failed?.verdict ?? (failed === undefined ? 'Accepted' : 'WrongAnswer');
    return {
        accepted: failed === undefined,
        verdict,
        ...(tests.some((test) => test.near_limit === true) ? { near_limit: true } : {}),
        tests,
    };
}

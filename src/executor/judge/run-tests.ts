import type { ExecInfo, TestResult } from '../../model/entry.js';
import type { Limits } from '../../model/limits.js';
import type { StagedTest } from '../../model/sample.js';
import type { Suspicion } from '../../model/task.js';
import type { Verdict } from '../../model/verdict.js';
import type { Comparison } from '../checker/comparison.js';
import type { KeepOutput } from '../descriptor.js';
import type { Box, RunReport } from '../sandbox/box.js';
import { SandboxError } from '../sandbox/sandbox-error.js';
import { type RunLimits, SPILL_FILES } from '../sandbox/wire.js';
import { runResult } from './run-result.js';
import { judgeRun } from './verdict-policy.js';
import type { Language } from './languages.js';

export interface TestPlan {
    readonly box: Box;
    readonly argv: readonly [string, ...string[]];
    readonly language: Language;
    readonly limits: Limits;
    readonly runLimits: RunLimits;
    readonly tests: readonly StagedTest[];
    /** Tests already judged by an earlier attempt: these are not run again. */
    readonly confirmed: readonly TestResult[];
    readonly allTests: boolean;
    /** Why the first test to be run was in doubt at an earlier attempt; null where this is the first one. */
    readonly confirming: Suspicion | null;
    /** Whether the same doubt once more is final. */
    readonly settles: boolean;
    readonly keepOutput: KeepOutput;
    readonly outputLimit: number;
    readonly check: (test: StagedTest, output: RunReport['stdout']) => Comparison | Promise<Comparison>;
}

export interface TestsOutcome {
    readonly verdict: Verdict;
    readonly tests: readonly TestResult[];
    readonly suspect: Suspicion | null;
    /** What the program wrote to stderr in the test that decides, where that is a RuntimeError; '' otherwise. */
    readonly lastWords: string;
}

interface Judged {
    readonly result: TestResult;
    readonly suspect: Suspicion | null;
}

/**
 * Tests that the box is asked for ahead of the one whose output is compared next: enough that it is never idle. While
 * tests are passed in a moment there are more, so that one message brings the reports of several; what has run for
 * nothing when a test is not passed is then a few moments' worth.
 */
const LEAST_AHEAD = 2;
/** Seconds of wall time. */
const A_MOMENT = 0.02;
/** Bytes: so many messages at once never fill the socket of a box. */
const MOST_ARGUMENT_BYTES = 4096;

/**
 * Runs tests in order, and stops at the first that is not passed unless all are wanted. The next ones are already running
 * while a test's output is compared, so that the box is never idle; what they do is thrown away if nobody wants it.
 * @throws SandboxError when the box breaks; what `check` throws
 */
export async function runTests(plan: TestPlan): Promise<TestsOutcome> {
    const { tests, confirmed } = plan;
    const results = [...confirmed];
    const asked: Promise<RunReport>[] = [];
    let verdict: Verdict = firstVerdict(confirmed) ?? 'Accepted';
    let suspect: Suspicion | null = null;
    let lastWords = '';
    const most = Buffer.byteLength(plan.argv.join(' ')) > MOST_ARGUMENT_BYTES ? LEAST_AHEAD : SPILL_FILES;
    let ahead = LEAST_AHEAD;
    let next = confirmed.length;
    // Before a test is compared its large output lies in a file, which the SPILL_FILESth run after it overwrites.
    const askBefore = (end: number): void => {
        for (; next < Math.min(end, tests.length); next++)
            asked[next] = start(plan, tests[next] as StagedTest);
    };
    askBefore(next + ahead);
    for (let i = confirmed.length; i < tests.length; i++) {
        const report = await (asked[i] as Promise<RunReport>);
        const judging = judgeTest(plan, tests[i] as StagedTest, report);
        const judged = judging instanceof Promise ? await judging : judging;
        results.push(judged.result);
        const decides = verdict === 'Accepted';
        if (decides) verdict = judged.result.verdict ?? 'Accepted';
        if (decides && verdict === 'RuntimeError') lastWords = report.stderr.toString('utf8');
        if (judged.suspect !== null && decides && isOpen(plan, i, judged.suspect)) {
            suspect = judged.suspect;
            break;
        }
        if (!judged.result.passed && !plan.allTests) break;
        ahead = report.wall <= A_MOMENT ? Math.min(2 * ahead, most) : LEAST_AHEAD;
        askBefore(i + 1 + ahead);
    }
    return { verdict, tests: results, suspect, lastWords };
}

/**
 * Whether a doubtful verdict of the i-th test ends the attempt, so that it is the last and can be repeated. The test that an
 * attempt confirms is only in doubt still if there is another doubt than before, or the same is looked into again; and an attempt that confirms one goes
 * through all tests, if all are wanted: not every later doubt is worth a try of its own.
 */
function isOpen(plan: TestPlan, i: number, doubt: Suspicion): boolean {
    const { confirming, confirmed, settles, allTests } = plan;
    if (confirming === null) return true;
    return i === confirmed.length ? doubt !== confirming || !settles : !allTests;
}

function firstVerdict(tests: readonly TestResult[]): Verdict | null {
    return tests.find((test) => !test.passed)?.verdict ?? null;
}

function start({ box, argv, runLimits }: TestPlan, test: StagedTest): Promise<RunReport> {
    const report = box.run({ argv, stdin: { path: test.input }, limits: runLimits });
    // It may be thrown away before anybody waits for it.
    report.catch(() => {});
    return report;
}

function judgeTest(plan: TestPlan, test: StagedTest, report: RunReport): Judged | Promise<Judged> {
    if (report.startErrno !== 0) {
        throw new SandboxError(`${plan.argv[0]} could not be started (error ${report.startErrno})`);
    }
    const run = judgeRun(report, plan.limits, plan.language);
    if (run.verdict !== null) return judged(plan, test, report, run, null);
    const comparison = plan.check(test, report.stdout);
    return comparison instanceof Promise
        ? comparison.then((found) => judged(plan, test, report, run, found))
        : judged(plan, test, report, run, comparison);
}

function judged(
    plan: TestPlan,
    test: StagedTest,
    report: RunReport,
    run: ReturnType<typeof judgeRun>,
    comparison: Comparison | null,
): Judged {
    const verdict = run.verdict ?? (comparison?.accepted ? null : 'WrongAnswer');
    const passed = verdict === null;
    const keep = plan.keepOutput === 'all' || (plan.keepOutput === 'failed' && !passed);
    const result: TestResult = {
        passed,
        ...(verdict === null ? {} : { name: test.name, verdict }),
        cpu_time: report.cpu,
        wall_time: report.wall,
        memory: report.memory,
        ...(run.nearLimit ? { near_limit: true } : {}),
        exec_info: execInfo(plan, report, passed, keep, comparison?.message ?? null),
    };
    return { result, suspect: run.suspect };
}

function execInfo(
    plan: TestPlan,
    report: RunReport,
    passed: boolean,
    keep: boolean,
    message: string | null,
): ExecInfo {
    const ended = report.exitCode === 0 && report.limit === null;
    const info: ExecInfo = { status: ended ? 'Success' : 'Failed' };
    if (passed && !keep) return info;
    return {
        ...info,
        compile_result: null,
        run_result: runResult(report, plan.outputLimit, keep),
        ...(message === null ? {} : { checker_message: message }),
    };
}

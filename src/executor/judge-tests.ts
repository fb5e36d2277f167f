import type { CapturedRun, JudgeResult, TestResult } from '../model/entry.js';
import type { Failure } from '../model/failure.js';
import type { Limits } from '../model/limits.js';
import type { StagedSample, StagedTest } from '../model/sample.js';
import type { Suspicion, Task } from '../model/task.js';
import { unreachable } from '../util/unreachable.js';
import type { CheckOutput } from './check-output.js';
import type { Comparison } from './checker/comparison.js';
import type { JudgingOptions } from './descriptor.js';
import { cutTimeOutSuspicion, timeFor, timeOutSuspicion } from './doubts.js';
import { findFirstDifference } from './first-difference.js';
import { compileErrorResult, judgeResult, type ProgramRun, testResult } from './judged-result.js';

/** What came of running one test. */
export type RanTest =
    | {
          readonly kind: 'ran';
          readonly run: ProgramRun;
          /**
           * What was found where the output is not for us to compare: the server did, or a second program that talked to
           * the first. Otherwise the output is checked here.
           */
          readonly comparison?: Comparison;
          /** Whether the end of this output may have been lost on the way: its server is known to lose some as long. */
          readonly lossy?: boolean;
      }
    | { readonly kind: 'not-compiled'; readonly compile: CapturedRun }
    | { readonly kind: 'failed'; readonly failure: Failure }
    | { readonly kind: 'abort' };

/**
 * Runs one test and tells how it ended: in a sandbox here, on a server, in as many passes and with as many programs as the
 * test needs. Called for one test after the other, in order.
 * @param time seconds that the test gets
 */
export type RunTest = (test: StagedTest, time: number) => Promise<RanTest>;

/** A submission to be judged, and what runs its tests. */
export interface JudgingPlan {
    readonly task: Task;
    readonly limits: Limits;
    readonly sample: StagedSample;
    readonly options: JudgingOptions;
    /** `--first-timeout`, seconds; null: none. */
    readonly firstTimeout: number | null;
    readonly check: CheckOutput;
    readonly run: RunTest;
}

/** What judging a submission came to. */
export type Judged =
    | {
          readonly kind: 'judged';
          readonly result: JudgeResult;
          readonly suspect: Suspicion | null;
          /** How the first test that this attempt did not pass ended; null where there is none, or nothing ran. */
          readonly decidedBy: ProgramRun | null;
      }
    | { readonly kind: 'failed'; readonly failure: Failure }
    | { readonly kind: 'abort' };

/**
 * Judges a submission test by test, on whatever runs a test, and stops at the first that is not passed unless all are wanted.
 * @throws what `plan.run` and `plan.check` throw
 */
export async function judgeTests(plan: JudgingPlan): Promise<Judged> {
    const { task, limits, sample, options } = plan;
    const tests: TestResult[] = [...task.confirmed];
    const begin = tests.length;
    let decidedBy: ProgramRun | null = null;
    let decided = tests.some((test) => !test.passed);
    for (let index = begin; index < sample.tests.length; index += 1) {
        const test = sample.tests[index] as StagedTest;
        const confirming = index === begin ? task.confirming : null;
        const time = timeFor(limits.time, plan.firstTimeout, confirming !== null);
        const ran = await plan.run(test, time);
        switch (ran.kind) {
            case 'abort':
            case 'failed':
                return ran;
            case 'not-compiled':
                return {
                    kind: 'judged',
                    result: compileErrorResult(ran.compile, options),
                    suspect: null,
                    decidedBy,
                };
            case 'ran': {
                const judging = judgeTest(plan, test, ran, time);
                const judged = judging instanceof Promise ? await judging : judging;
                tests.push(judged.test);
                const { suspect } = judged;
                if (!judged.test.passed && !decided) decidedBy = ran.run;
                if (suspect !== null && !decided && isOpen(task, confirming, suspect, options.allTests)) {
                    return { kind: 'judged', result: judgeResult(tests), suspect, decidedBy };
                }
                if (!judged.test.passed) {
                    if (!options.allTests)
                        return { kind: 'judged', result: judgeResult(tests), suspect: null, decidedBy };
                    decided = true;
                }
                break;
            }
            default:
                unreachable(ran, 'test run');
        }
    }
    return { kind: 'judged', result: judgeResult(tests), suspect: null, decidedBy };
}

/**
 * Whether a doubt about the test that decides ends the attempt, so that it is the last test and can be repeated. The test
 * that an attempt confirms stays in doubt only if there is another doubt than before, or if this attempt does not settle
 * it; and an attempt that confirms a test goes through all later ones if all are wanted: not every later doubt is worth
 * an attempt of its own.
 * @param confirming the doubt that this very test is repeated for
 */
function isOpen(task: Task, confirming: Suspicion | null, doubt: Suspicion, allTests: boolean): boolean {
    if (task.confirming === null) return true;
    return confirming === null ? !allTests : doubt !== confirming || !task.settles;
}

interface Tested {
    readonly test: TestResult;
    readonly suspect: Suspicion | null;
}

function judgeTest(
    plan: JudgingPlan,
    test: StagedTest,
    ran: Extract<RanTest, { kind: 'ran' }>,
    time: number,
): Tested | Promise<Tested> {
    const { run } = ran;
    if (run.verdict === 'TimeLimitExceeded') return judgeTimeOut(plan, test, ran, time);
    const { name } = test;
    if (run.verdict !== null) {
        const suspect = run.doubt === 'certain' || run.doubt === 'unmeasured' ? null : run.doubt;
        return { test: testResult({ name, run, comparison: null, truncated: false }, plan.options), suspect };
    }
    const comparing = ran.comparison ?? plan.check(plan.sample.checker, test, run.stdout);
    return comparing instanceof Promise
        ? comparing.then((comparison) => judgeOutput(plan, test, ran, comparison))
        : judgeOutput(plan, test, ran, comparing);
}

function judgeOutput(
    { options, sample: { checker } }: JudgingPlan,
    { name, answer }: StagedTest,
    { run, lossy, comparison: given }: Extract<RanTest, { kind: 'ran' }>,
    comparison: Comparison,
): Tested {
    const truncated = lossy === true && !comparison.accepted;
    // A checker program, or a server, has reasons of its own: the texts do not show them.
    const isShown =
        !comparison.accepted &&
        given === undefined &&
        checker.kind !== 'program' &&
        options.keepOutput !== 'none';
    const difference = isShown ? findFirstDifference({ path: answer }, run.stdout) : null;
    return { test: testResult({ name, run, comparison, truncated, difference }, options), suspect: null };
}

async function judgeTimeOut(
    { options, limits, sample: { checker } }: JudgingPlan,
    { name, answer }: StagedTest,
    { run, lossy }: Extract<RanTest, { kind: 'ran' }>,
    time: number,
): Promise<Tested> {
    const truncated = lossy === true;
    const seen = { output: run.stdout, doubt: run.doubt, first: time < limits.time, checker, answer };
    const suspect = truncated ? cutTimeOutSuspicion(seen) : await timeOutSuspicion(seen);
    return { test: testResult({ name, run, comparison: null, truncated }, options), suspect };
}

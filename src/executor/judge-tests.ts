import type { CapturedRun, JudgeResult, TestResult } from '../model/entry.js';
import type { Failure } from '../model/failure.js';
import type { Limits } from '../model/limits.js';
import type { StagedSample, StagedTest } from '../model/sample.js';
import {
    type GivenScore,
    type GraderProgram,
    type GroupRules,
    ScoreError,
    scoreTest,
    type SubResult,
} from '../model/scoring.js';
import type { Suspicion, Task } from '../model/task.js';
import { unreachable } from '../util/unreachable.js';
import type { CheckOutput } from './check-output.js';
import type { Comparison } from './checker/comparison.js';
import type { JudgingOptions } from './descriptor.js';
import { cutTimeOutSuspicion, chooseTime, suspectTimeOut } from './doubts.js';
import { findFirstDifference } from './first-difference.js';
import { compileErrorResult, judgeResult, type ProgramRun, testResult } from './judged-result.js';
import { walkGroups, walkInOrder, type WalkStep } from './test-walk.js';

/** The result of running one test. */
export type RanTest =
    | {
          readonly kind: 'ran';
          readonly run: ProgramRun;
          /**
           * Present if the output was compared elsewhere: by the server, or by a second program that talked to the first.
           * Otherwise the output is checked here.
           */
          readonly comparison?: Comparison;
          /** Whether the end of this output may have been lost in transit: its server is known to lose some at this length. */
          readonly lossy?: boolean;
      }
    | {
          readonly kind: 'not-compiled';
          readonly compile: CapturedRun;
          /** Why the machine may be to blame; absent or null: the program is. */
          readonly doubt?: Suspicion | null;
      }
    | { readonly kind: 'failed'; readonly failure: Failure }
    | { readonly kind: 'abort' };

/**
 * Runs one test and reports how it ended: in a sandbox here or on a server, in as many passes and with as many programs as the
 * test needs. Tests are run one after another, in order.
 * @param time time limit of the test in seconds
 */
export type RunTest = (test: StagedTest, time: number) => Promise<RanTest>;

/** Grades a group with the problem's own grader. Rejects if the grader breaks its convention. */
export type GradeByProgram = (
    grader: GraderProgram,
    flags: readonly string[],
    items: readonly SubResult[],
) => Promise<SubResult>;

/** A submission to judge, and the means to run its tests. */
export interface JudgingPlan {
    readonly task: Task;
    readonly limits: Limits;
    readonly sample: StagedSample;
    readonly options: JudgingOptions;
    /** `--first-timeout`, seconds; null: none. */
    readonly firstTimeout: number | null;
    readonly check: CheckOutput;
    readonly grade: GradeByProgram;
    readonly run: RunTest;
}

/** The result of judging a submission. */
export type Judged =
    | {
          readonly kind: 'judged';
          readonly result: JudgeResult;
          readonly suspect: Suspicion | null;
          /** True if a doubt ended the attempt before all relevant tests had run. */
          readonly isPartial?: boolean;
          /** How the first failed test of this attempt ended; null if none failed, or nothing ran. */
          readonly decidedBy: ProgramRun | null;
      }
    | { readonly kind: 'failed'; readonly failure: Failure }
    | { readonly kind: 'abort' };

/**
 * Judges a submission test by test, by any means of running a test: up to the first failed test, or as the groups of a problem
 * with scores require; all tests if `--all-tests` is set.
 * @throws whatever `plan.run`, `plan.check` and `plan.grade` throw
 */
export async function judgeTests(plan: JudgingPlan): Promise<Judged> {
    const { task, sample, options } = plan;
    const { scoring } = sample;
    const walk =
        scoring === undefined
            ? walkInOrder(sample.tests.length, options.allTests)
            : walkGroups(scoring, options.allTests);
    const known = new KnownTests(task.confirmed, scoring !== undefined);
    const tests: TestResult[] = [];
    let decidedBy: ProgramRun | null = null;
    let confirming = task.confirming;
    let step = walk.next();
    while (step.done !== true) {
        if (step.value.kind === 'grade') {
            step = walk.next(await gradeItems(plan, step.value));
            continue;
        }
        const { test: position, rules, counts } = step.value;
        const test = sample.tests[position] as StagedTest;
        const before = known.take(test.name);
        if (before !== null) {
            tests.push(before);
            step = walk.next(toSubResult(before));
            continue;
        }
        const time = chooseTime(plan.limits.time, plan.firstTimeout, confirming !== null);
        const ran = await plan.run(test, time);
        switch (ran.kind) {
            case 'abort':
            case 'failed':
                return ran;
            case 'not-compiled': {
                const result = compileErrorResult(ran.compile, options);
                return { kind: 'judged', result, suspect: findOpenDoubt(task, ran.doubt ?? null), decidedBy };
            }
            case 'ran': {
                const judging = judgeTest(plan, test, ran, time);
                const { test: judged, given, suspect } = judging instanceof Promise ? await judging : judging;
                const scored = rules === null ? judged : withScore(judged, test.name, rules, given);
                tests.push(scored);
                if (!scored.passed && counts) decidedBy ??= ran.run;
                if (suspect !== null && counts && isOpen(plan, confirming, suspect)) {
                    const isPartial = scoring !== undefined;
                    return {
                        kind: 'judged',
                        result: judgeResult(tests, null),
                        suspect,
                        decidedBy,
                        isPartial,
                    };
                }
                confirming = null;
                step = walk.next(toSubResult(scored));
                break;
            }
            default:
                unreachable(ran, 'test run');
        }
    }
    const summary = scoring === undefined ? null : { ...step.value, best: scoring.best };
    return { kind: 'judged', result: judgeResult(tests, summary), suspect: null, decidedBy };
}

/** Tests that an earlier attempt judged, which need not run again. */
class KnownTests {
    readonly #byName: ReadonlyMap<string, TestResult>;
    #position = 0;

    constructor(
        private readonly confirmed: readonly TestResult[],
        /** With groups, some tests may be skipped, so the judged tests are not simply the first ones. */
        private readonly isNamed: boolean,
    ) {
        this.#byName = new Map(confirmed.map((test) => [test.name ?? '', test]));
    }

    take(name: string): TestResult | null {
        if (this.isNamed) return this.#byName.get(name) ?? null;
        return this.confirmed[this.#position++] ?? null;
    }
}

const toSubResult = ({ passed, verdict, score }: TestResult): SubResult => ({
    verdict: passed ? 'Accepted' : (verdict ?? 'WrongAnswer'),
    score: score ?? 0,
    ...(score === undefined ? { isUnscored: true } : {}),
});

/** @throws CheckerError if the rules do not allow the validator's score */
function withScore(test: TestResult, name: string, rules: GroupRules, given: GivenScore | null): TestResult {
    const { passed, ...rest } = test;
    const score = scoreTest(rules, passed, given);
    return { passed, name, ...rest, ...(score === null ? {} : { score }) };
}

function gradeItems(plan: JudgingPlan, step: Extract<WalkStep, { kind: 'grade' }>): Promise<SubResult> {
    const { grader } = plan.sample.scoring ?? { grader: null };
    if (grader === null) throw new ScoreError('its groups require a grader, but it has none');
    return plan.grade(grader, step.flags, step.items);
}

/**
 * Whether a doubt about a decisive test ends the attempt, so that this test is the last one and can be repeated. The test that an
 * attempt confirms remains in doubt only if the doubt is a different one, or if this attempt does not settle it. An attempt that
 * confirms a test runs all later ones if all are wanted, or if all may count, since not every later doubt is worth an attempt of
 * its own.
 * @param confirming the doubt for which this very test is repeated
 */
function isOpen(
    { task, options, sample }: JudgingPlan,
    confirming: Suspicion | null,
    doubt: Suspicion,
): boolean {
    if (task.confirming === null) return true;
    if (confirming !== null) return doubt !== confirming || !task.settles;
    return sample.scoring === undefined ? !options.allTests : doubt !== task.confirming;
}

/** The remaining doubt about a compilation; null if there is none, or if this attempt settles it. */
export const findOpenDoubt = (
    { confirming, settles }: Pick<Task, 'confirming' | 'settles'>,
    doubt: Suspicion | null,
): Suspicion | null => (confirming === doubt && settles ? null : doubt);

interface Tested {
    readonly test: TestResult;
    /** The score that the validator gave. */
    readonly given: GivenScore | null;
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
        const test = testResult({ name, run, comparison: null, truncated: false }, plan.options);
        return { test, given: null, suspect };
    }
    const comparing = ran.comparison ?? plan.check(plan.sample.checker, test, run.stdout);
    return comparing instanceof Promise
        ? comparing.then((comparison) => judgeOutput(plan, test, ran, comparison))
        : judgeOutput(plan, test, ran, comparing);
}

function judgeOutput(
    { options, sample: { checker, scoring } }: JudgingPlan,
    { name, answer }: StagedTest,
    { run, lossy, comparison: given }: Extract<RanTest, { kind: 'ran' }>,
    comparison: Comparison,
): Tested {
    if (comparison.needsScoring === true && scoring === undefined)
        throw new ScoreError(
            `the checker returned points, but the problem has no scores: ${comparison.message ?? ''}`,
        );
    const truncated = lossy === true && !comparison.accepted;
    // A checker program or a server has reasons of its own, which the texts do not show.
    const isShown =
        !comparison.accepted &&
        given === undefined &&
        checker.kind !== 'program' &&
        options.keepOutput !== 'none';
    const difference = isShown ? findFirstDifference({ path: answer }, run.stdout) : null;
    const test = testResult({ name, run, comparison, truncated, difference }, options);
    return { test, given: comparison.score ?? null, suspect: null };
}

async function judgeTimeOut(
    { options, limits, sample: { checker } }: JudgingPlan,
    { name, answer }: StagedTest,
    { run, lossy }: Extract<RanTest, { kind: 'ran' }>,
    time: number,
): Promise<Tested> {
    const truncated = lossy === true;
    const seen = { output: run.stdout, doubt: run.doubt, first: time < limits.time, checker, answer };
    const suspect = truncated ? cutTimeOutSuspicion(seen) : await suspectTimeOut(seen);
    const test = testResult({ name, run, comparison: null, truncated }, options);
    return { test, given: null, suspect };
}

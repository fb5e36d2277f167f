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
    | {
          readonly kind: 'not-compiled';
          readonly compile: CapturedRun;
          /** Why that may be the machine's doing; absent or null: it is the program's fault. */
          readonly doubt?: Suspicion | null;
      }
    | { readonly kind: 'failed'; readonly failure: Failure }
    | { readonly kind: 'abort' };

/**
 * Runs one test and tells how it ended: in a sandbox here, on a server, in as many passes and with as many programs as the
 * test needs. Called for one test after the other, in order.
 * @param time seconds that the test gets
 */
export type RunTest = (test: StagedTest, time: number) => Promise<RanTest>;

/** Grades a group by the problem's own grader. Rejects where that breaks its convention. */
export type GradeByProgram = (
    grader: GraderProgram,
    flags: readonly string[],
    items: readonly SubResult[],
) => Promise<SubResult>;

/** A submission to be judged, and what runs its tests. */
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

/** What judging a submission came to. */
export type Judged =
    | {
          readonly kind: 'judged';
          readonly result: JudgeResult;
          readonly suspect: Suspicion | null;
          /** True where the doubt ended the attempt before all tests that count had run. */
          readonly isPartial?: boolean;
          /** How the first test that this attempt did not pass ended; null where there is none, or nothing ran. */
          readonly decidedBy: ProgramRun | null;
      }
    | { readonly kind: 'failed'; readonly failure: Failure }
    | { readonly kind: 'abort' };

/**
 * Judges a submission test by test, on whatever runs a test: up to the first that is not passed, or as the groups of a
 * problem with scores want it; all tests where all are wanted.
 * @throws what `plan.run`, `plan.check` and `plan.grade` throw
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

/** Tests that an earlier attempt has judged, and that this one need not run. */
class KnownTests {
    readonly #byName: ReadonlyMap<string, TestResult>;
    #position = 0;

    constructor(
        private readonly confirmed: readonly TestResult[],
        /** Groups may leave tests out: what was judged is not simply the first tests. */
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

/** @throws CheckerError where the rules do not allow the score that the validator gave */
function withScore(test: TestResult, name: string, rules: GroupRules, given: GivenScore | null): TestResult {
    const { passed, ...rest } = test;
    const score = scoreTest(rules, passed, given);
    return { passed, name, ...rest, ...(score === null ? {} : { score }) };
}

function gradeItems(plan: JudgingPlan, step: Extract<WalkStep, { kind: 'grade' }>): Promise<SubResult> {
    const { grader } = plan.sample.scoring ?? { grader: null };
    if (grader === null) throw new ScoreError('its groups want a grader, and it has none');
    return plan.grade(grader, step.flags, step.items);
}

/**
 * Whether a doubt about a test that decides ends the attempt, so that it is the last test and can be repeated. The test
 * that an attempt confirms stays in doubt only if there is another doubt than before, or if this attempt does not settle
 * it; and an attempt that confirms a test goes through all later ones if all are wanted, or if all may count: not every
 * later doubt is worth an attempt of its own.
 * @param confirming the doubt that this very test is repeated for
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

/** A doubt about a compilation; null where there is none, or where this attempt settles it. */
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
            `the checker gives points to a test of a problem without scores: ${comparison.message ?? ''}`,
        );
    const truncated = lossy === true && !comparison.accepted;
    // A checker program, or a server, has reasons of its own: the texts do not show them.
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

import type { SourceFile } from './content.js';
import type { Verdict } from './verdict.js';

/*
 * How a problem with scores turns the results of its tests into results of groups and of a submission. Plain data and pure
 * functions: the rules are those of the problem package format, legacy (graders) and 2025-09 (score aggregation), and DOMjudge's
 * own for legacy packages.
 */

/** Test groups of a problem with scores. */
export interface TestScoring {
    readonly root: TestGroup;
    /** Whether more points are better. */
    readonly objective: 'max' | 'min';
    /** The best score of a submission; null if the problem sets none. */
    readonly best: number | null;
    /** The program that grades groups with `custom` rules; null: there are none. */
    readonly grader: GraderProgram | null;
}

/** `grader flags < results`: a line for each result, with a verdict's code and a score; it prints one such line. */
export interface GraderProgram {
    /** Language tag. */
    readonly language: string;
    readonly files: readonly [SourceFile, ...SourceFile[]];
}

export interface TestGroup {
    /** `data` for all tests; `sample`, `secret`, `secret/group1`. */
    readonly name: string;
    /** Tests and groups in the order in which they are judged. */
    readonly items: readonly GroupItem[];
    readonly rules: GroupRules;
}

/** Number of tests that are judged at all: groups may leave samples out. */
export const countGroupTests = ({ items }: TestGroup): number =>
    items.reduce((sum, item) => sum + ('group' in item ? countGroupTests(item.group) : 1), 0);

export type GroupItem =
    /**
     * A test, by its position in the sample's list. `maximum`: the most that it can score, if different from its group's
     * `testMaximum`.
     */
    { readonly test: number; readonly maximum?: number } | { readonly group: TestGroup };

export type GroupRules = GraderRules | AggregationRules | DomjudgeRules;

/** Rules of legacy packages: a grader computes a group's result from those of its items. */
export interface GraderRules {
    readonly kind: 'grader';
    /** `on_reject: break`: judging stops after the first item that is not accepted. */
    readonly stopsAtReject: boolean;
    /** Scores of tests whose validator gives none. */
    readonly acceptScore: number;
    readonly rejectScore: number;
    readonly grader: BuiltInGrader | { readonly kind: 'custom'; readonly flags: readonly string[] };
}

/** The default grader with its flags. */
export interface BuiltInGrader {
    readonly kind: 'default';
    readonly verdict: 'worst_error' | 'first_error' | 'always_accept';
    readonly score: ScoreMode;
    /** Only the last item counts. */
    readonly ignoreSample: boolean;
    readonly acceptIfAnyAccepted: boolean;
}

/**
 * DOMjudge's rules for packages with `testdata.yaml`: a group of tests scores once, if all of them are accepted, or by what its
 * validator wrote. Source: `SubmissionService::maybeSetScoringResult` of DOMjudge 9.
 */
export interface DomjudgeRules {
    readonly kind: 'domjudge';
    /** False for `on_reject: continue`. */
    readonly stopsAtReject: boolean;
    /** The score of a group of tests; null: only what its validator gives. */
    readonly acceptScore: number | null;
    /** The upper end of its `range`; null: none. */
    readonly maximum: number | null;
    readonly score: ScoreMode;
}

/** How several scores are combined. */
export type ScoreMode = 'sum' | 'avg' | 'min' | 'max';

/** Rules of 2025-09. */
export interface AggregationRules {
    readonly kind: 'aggregation';
    /** `none`: its tests have no scores, and its items add nothing (the samples). */
    readonly aggregation: 'pass-fail' | 'sum' | 'min' | 'none';
    /** null: unbounded. */
    readonly maximum: number | null;
    /** The most that each of its tests can score; null: unbounded, or tests have no scores. */
    readonly testMaximum: number | null;
    /** Names of groups whose tests must all be accepted before this one is judged. */
    readonly requires: readonly string[];
}

/** The result of a test or a group. */
export interface SubResult {
    readonly verdict: Verdict;
    readonly score: number;
    /** Set for a test that has no score of its own. */
    readonly isUnscored?: true;
}

/** The score that a validator gives a test: points, or a share of the test's maximum. */
export type GivenScore = { readonly points: number } | { readonly share: number };

/** A score that breaks the rules: the judge's fault, not the program's. */
export class ScoreError extends Error {
    override readonly name = 'ScoreError';
}

/**
 * The score of a test; null if the rules give it none of its own.
 * @param given by the validator; null: nothing
 * @throws ScoreError if the validator gave something that the rules do not allow
 */
export function scoreTest(rules: GroupRules, accepted: boolean, given: GivenScore | null): number | null {
    const counted = accepted || rules.kind === 'domjudge' ? given : null;
    if (counted !== null && !Number.isFinite('points' in counted ? counted.points : counted.share))
        throw new ScoreError('the score that the validator wrote is not a number');
    switch (rules.kind) {
        case 'grader':
            return scoreGradedTest(rules, accepted, given);
        case 'aggregation':
            return scoreAggregatedTest(rules, accepted, given);
        case 'domjudge':
            // DOMjudge has no multipliers.
            return given !== null && 'points' in given ? given.points : null;
    }
}

function scoreGradedTest(rules: GraderRules, accepted: boolean, given: GivenScore | null): number {
    if (!accepted) return rules.rejectScore;
    if (given === null) return rules.acceptScore;
    return 'points' in given ? given.points : given.share * rules.acceptScore;
}

function scoreAggregatedTest(rules: AggregationRules, accepted: boolean, given: GivenScore | null): number {
    if (!accepted || rules.aggregation === 'none' || rules.aggregation === 'pass-fail') return 0;
    const { testMaximum: most } = rules;
    if (given === null) {
        if (most === null) throw new ScoreError('the validator gave no score to a test without a maximum');
        return most;
    }
    if ('points' in given) {
        if (given.points < 0) throw new ScoreError(`the validator gave the score ${given.points}`);
        if (most !== null && given.points > most + computeTolerance(most))
            throw new ScoreError(`the validator gave the score ${given.points}, at most ${most} is allowed`);
        return given.points;
    }
    if (most === null || given.share < 0 || given.share > 1)
        throw new ScoreError(`the validator gave a score multiplier of ${given.share}, which cannot be used`);
    return most * given.share;
}

/** Scores are sums of fractions: smaller differences are ignored. */
const computeTolerance = (score: number): number => 1e-7 * Math.max(1, Math.abs(score));

export const isSameScore = (a: number, b: number): boolean => Math.abs(a - b) <= computeTolerance(b);

/** Verdicts from the most to the least severe, in the order of the default grader. */
const WORST: readonly Verdict[] = [
    'CompileError',
    'RuntimeError',
    'MemoryLimitExceeded',
    'TimeLimitExceeded',
    'OutputLimitExceeded',
    'WrongAnswer',
    'Refused',
    'PartiallyAccepted',
];

/** The default grader's result for a group's items; a group without items is accepted. */
export function gradeByDefault(grader: BuiltInGrader, items: readonly SubResult[]): SubResult {
    const counted = grader.ignoreSample ? items.slice(-1) : items;
    if (counted.length === 0) return { verdict: 'Accepted', score: 0 };
    return { verdict: gradeVerdict(grader, counted), score: gradeScore(grader, counted) };
}

function gradeVerdict(grader: BuiltInGrader, items: readonly SubResult[]): Verdict {
    const failed = items.filter((item) => item.verdict !== 'Accepted');
    const [first] = failed;
    if (first === undefined || grader.verdict === 'always_accept') return 'Accepted';
    if (grader.acceptIfAnyAccepted && failed.length < items.length) return 'Accepted';
    if (grader.verdict === 'first_error') return first.verdict;
    return WORST.find((verdict) => failed.some((item) => item.verdict === verdict)) ?? first.verdict;
}

function gradeScore(grader: BuiltInGrader, items: readonly SubResult[]): number {
    return combineScores(
        grader.score,
        items.map((item) => item.score),
    );
}

/** @param scores at least one */
export function combineScores(mode: ScoreMode, scores: readonly number[]): number {
    const sum = (): number => scores.reduce((a, b) => a + b, 0);
    switch (mode) {
        case 'sum':
            return sum();
        case 'avg':
            return sum() / scores.length;
        case 'min':
            return Math.min(...scores);
        case 'max':
            return Math.max(...scores);
    }
}

/**
 * A group's result by DOMjudge's rules: the first failure decides its verdict, and it keeps its score even if a test failed.
 * @param items tests, or groups
 */
export function gradeByDomjudge(rules: DomjudgeRules, items: readonly SubResult[]): SubResult {
    const verdict = items.find((item) => item.verdict !== 'Accepted')?.verdict ?? 'Accepted';
    const scores = items.filter(({ isUnscored }) => isUnscored !== true).map(({ score }) => score);
    if (scores.length > 0) return { verdict, score: combineScores(rules.score, scores) };
    const isScored = items.length > 0 && verdict === 'Accepted';
    return { verdict, score: isScored ? (rules.acceptScore ?? 0) : 0 };
}

/** A group's result in 2025-09. Its verdict is that of its first item that is not accepted. */
export function aggregate(rules: AggregationRules, items: readonly SubResult[]): SubResult {
    const verdict = items.find((item) => item.verdict !== 'Accepted')?.verdict ?? 'Accepted';
    const scores = items.map((item) => item.score);
    switch (rules.aggregation) {
        case 'none':
            // The group of all tests: samples score nothing.
            return { verdict, score: scores.reduce((a, b) => a + b, 0) };
        case 'pass-fail':
            return { verdict, score: verdict === 'Accepted' ? (rules.maximum ?? 0) : 0 };
        case 'sum': {
            const sum = scores.reduce((a, b) => a + b, 0);
            return { verdict, score: clamp(sum, rules.maximum) };
        }
        case 'min':
            return { verdict, score: scores.length === 0 ? 0 : Math.min(...scores) };
    }
}

/** @throws ScoreError if a group scores more than allowed */
function clamp(score: number, maximum: number | null): number {
    if (maximum === null || score <= maximum) return score;
    if (isSameScore(score, maximum)) return maximum;
    throw new ScoreError(`a group scores ${score}, at most ${maximum} is allowed`);
}

/** Whether no later item can change a group's result. */
export function isSettled(rules: GroupRules, last: SubResult): boolean {
    if (last.verdict === 'Accepted') return false;
    if (rules.kind !== 'aggregation') return rules.stopsAtReject;
    // A failed item of a group scores nothing, which settles the minimum; a group may still have scored in part.
    return rules.aggregation === 'pass-fail' || (rules.aggregation === 'min' && last.score === 0);
}

/**
 * The result of a submission, given that of all tests: accepted with less than the best score means accepted in part. A score
 * that a grader gives to a rejected submission does not count.
 */
export function chooseFinalResult({ best, objective, root }: TestScoring, result: SubResult): SubResult {
    const score = Math.round(result.score * 1e9) / 1e9 + 0;
    if (result.verdict !== 'Accepted')
        return { verdict: result.verdict, score: root.rules.kind === 'grader' ? 0 : score };
    if (best === null || isSameScore(score, best)) return { verdict: 'Accepted', score };
    const isBetter = objective === 'max' ? score > best : score < best;
    return { verdict: isBetter ? 'Accepted' : 'PartiallyAccepted', score };
}

/** A score that a dataset expects of a submission. */
export interface ExpectedScore {
    /** Name of a test group; absent: the submission's own score. */
    readonly group?: string;
    readonly min: number;
    readonly max: number;
}

/** The parts of a judge's result that concern scores. */
interface Scored {
    readonly score?: number;
    readonly groups?: readonly { readonly name: string; readonly score: number }[];
}

/** The first expected score that a result lacks; null if it has all of them. */
export function findMissedScore(
    expected: readonly ExpectedScore[] | undefined,
    result: Scored,
): ExpectedScore | null {
    const missed = expected?.find(({ group, min, max }) => {
        const score =
            group === undefined ? result.score : result.groups?.find(({ name }) => name === group)?.score;
        if (score === undefined) return true;
        return score < min - computeTolerance(min) || score > max + computeTolerance(max);
    });
    return missed ?? null;
}

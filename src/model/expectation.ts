import type { Entry } from './entry.js';
import { chooseExpected, type TaskInput } from './sample.js';
import { readOnSamples } from './sample-tests.js';
import type { ExpectedScore } from './scoring.js';
import type { Verdict } from './verdict.js';

/** A finished task as a dataset's expectations see it. */
export interface JudgedTask {
    readonly group: string;
    readonly verdict: Verdict;
    /** Verdicts that its dataset names; null: none, so the group decides. */
    readonly named: readonly Verdict[] | null;
    /** A score that was expected and differs from the actual one; null: there is none. */
    readonly missedScore: ExpectedScore | null;
}

/**
 * What a dataset expects of a task. Not part of the task's input, so that other labels require no other run. Null: nothing is
 * specified.
 */
export interface Labels {
    readonly expected: readonly Verdict[] | null;
    readonly scores: readonly ExpectedScore[] | null;
}

type LabelledEntry = Pick<Entry, 'expected' | 'expected_scores'>;

/** The labels of a task if they differ from those of its entry; null if they do not. */
export function findChangedLabels(entry: LabelledEntry, input: TaskInput): Labels | null {
    if (input.kind !== 'program') return null;
    const { expected, expectedScores: scores = null } = input;
    const isSame = isSameList(entry.expected, expected) && isSameList(entry.expected_scores, scores);
    return isSame ? null : { expected, scores };
}

const isSameList = (before: readonly unknown[] | undefined, now: readonly unknown[] | null): boolean =>
    JSON.stringify(before ?? null) === JSON.stringify(now);

/** The entry with other labels; unchanged if there are none. */
export function withLabels<T extends LabelledEntry>(entry: T, labels: Labels | undefined): T {
    if (labels === undefined) return entry;
    const { expected: _, expected_scores: __, ...rest } = entry;
    const { expected, scores } = labels;
    return {
        ...rest,
        ...(expected === null ? {} : { expected }),
        ...(scores === null ? {} : { expected_scores: scores }),
    } as T;
}

/** Whether a limit is computed from a finished task: one that is accepted, at least in part. */
export const isMeasured = ({ result }: Pick<Entry, 'result'>): boolean =>
    result['accepted'] === true || result['verdict'] === 'PartiallyAccepted';

/** Whether the dataset expects something else: another verdict, or another score. */
export function isUnexpected({ group, verdict, named, missedScore }: JudgedTask): boolean {
    const expected = chooseExpected(group, named);
    return expected !== null && (!expected.includes(verdict) || missedScore !== null);
}

/**
 * Whether a program that is known to be right scored less than its problem allows, and the dataset accepts that. It does not make
 * the tests weak or wrong, so no rate counts it.
 */
export function isInPart(task: JudgedTask): boolean {
    const kind = readOnSamples(task.group) ?? task.group;
    return kind === 'solution' && task.verdict === 'PartiallyAccepted' && !isUnexpected(task);
}

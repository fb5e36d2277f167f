import type { Entry } from './entry.js';
import { chooseExpected } from './sample.js';
import { readOnSamples } from './sample-tests.js';
import type { ExpectedScore } from './scoring.js';
import type { Verdict } from './verdict.js';

/** A finished task as a dataset's expectations see it. */
export interface JudgedTask {
    readonly group: string;
    readonly verdict: Verdict;
    /** Verdicts that its dataset names; null: none, and the group decides. */
    readonly named: readonly Verdict[] | null;
    /** A score that was expected and is not the one it got; null: there is none. */
    readonly missedScore: ExpectedScore | null;
}

/** Whether a limit is computed from a finished task: one that is accepted, be it in part. */
export const isMeasured = ({ result }: Pick<Entry, 'result'>): boolean =>
    result['accepted'] === true || result['verdict'] === 'PartiallyAccepted';

/** Whether the dataset expects something else: another verdict, or another score. */
export function isUnexpected({ group, verdict, named, missedScore }: JudgedTask): boolean {
    const expected = chooseExpected(group, named);
    return expected !== null && (!expected.includes(verdict) || missedScore !== null);
}

/**
 * Whether a program that is known to be right scored less than its problem allows, and the dataset has nothing against that. Tests
 * are not weak nor wrong because of it, so that no rate counts it.
 */
export function isInPart(task: JudgedTask): boolean {
    const kind = readOnSamples(task.group) ?? task.group;
    return kind === 'solution' && task.verdict === 'PartiallyAccepted' && !isUnexpected(task);
}

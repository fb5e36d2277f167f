import type { GroupTally, SampleTally } from '../model/tally.js';
import { VERDICTS } from '../model/verdict.js';

/** A share of the judged tasks: neither number includes failures, skips or open tasks. */
export interface Rate {
    readonly hits: number;
    readonly judged: number;
    /** `hits / judged`, from 0 to 1; null if nothing was judged. */
    readonly value: number | null;
}

/** Tasks of a group that have a verdict. */
export function countJudged(group: GroupTally): number {
    let judged = 0;
    for (const verdict of VERDICTS) judged += group.verdicts[verdict] ?? 0;
    return judged;
}

/** Tasks that the group's rate counts: not correct solutions that scored in part, which say nothing about the tests. */
export function countRated(group: GroupTally): number {
    return countJudged(group) - (group.inPart ?? 0);
}

export function countAccepted(group: GroupTally): number {
    return group.verdicts.Accepted ?? 0;
}

/** Mean share of the best score, from 0 to 1; null if no finished task has a score. */
export function computeMeanScore({ scores }: GroupTally): number | null {
    return scores === undefined || scores.tasks === 0 ? null : scores.shares / scores.tasks;
}

/**
 * TPR: accepted / judged solutions. Neither number includes solutions that scored in part, as their dataset allows. Null if there
 * is no such group.
 */
export function computeTruePositiveRate(groups: SampleTally['groups']): Rate | null {
    const group = Object.hasOwn(groups, 'solution') ? groups['solution'] : undefined;
    return group === undefined ? null : computeRate(countAccepted(group), countRated(group));
}

/** TNR: rejected / judged incorrect solutions. Null if there is no such group. */
export function computeTrueNegativeRate(groups: SampleTally['groups']): Rate | null {
    const group = Object.hasOwn(groups, 'incorrect_solution') ? groups['incorrect_solution'] : undefined;
    if (group === undefined) return null;
    const judged = countJudged(group);
    return computeRate(judged - countAccepted(group), judged);
}

function computeRate(hits: number, judged: number): Rate {
    return { hits, judged, value: judged === 0 ? null : hits / judged };
}

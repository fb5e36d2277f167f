import type { GroupTally } from '../model/tally.js';
import { type CsvCell, renderCsv } from '../util/csv.js';
import {
    countAccepted,
    countJudged,
    computeMeanScore,
    computeTrueNegativeRate,
    computeTruePositiveRate,
} from './rates.js';
import type { Report } from './report.js';
import type { SampleRow } from './report-samples.js';
import { openIn, orderGroups } from './sections.js';

const FIGURES = ['total', 'judged', 'accepted', 'failed', 'skipped', 'open'] as const;
/** Added as the last column, and only if something has a score, so that tools that read columns by position still work. */
const SCORE = 'mean_score';
/** Added after the others, and only if there are any: correct solutions that scored in part. */
const IN_PART = 'in_part';

/**
 * The report as CSV (see util/csv.ts): one row per sample, rates from 0 to 1, empty if nothing was judged. Yields one row at a
 * time.
 */
export function* reportCsv(report: Report): Generator<string> {
    const groups = orderGroups(report.total.groups).map(([name]) => name);
    const scored = listScoredGroups(report);
    const inPart = groups.filter((name) => (report.total.groups[name]?.inPart ?? 0) > 0);
    const head = [
        'sample',
        'complete',
        ...groups.flatMap((name) => FIGURES.map((figure) => `${name}_${figure}`)),
        'tpr',
        'tnr',
        'unexpected',
        'near_limit',
        ...scored.map((name) => `${name}_${SCORE}`),
        ...inPart.map((name) => `${name}_${IN_PART}`),
    ];
    yield renderCsv([head]);
    for (const sample of report.samples) {
        const scores = scored.map((name) => formatScore(sample, name));
        const parts = inPart.map((name) => findGroup(sample, name)?.inPart ?? 0);
        yield renderCsv([[...buildRow(sample, groups), ...scores, ...parts]]);
    }
}

/** Groups in which some task has a score. */
const listScoredGroups = ({ total }: Report): string[] =>
    orderGroups(total.groups)
        .filter(([, group]) => computeMeanScore(group) !== null)
        .map(([name]) => name);

const findGroup = (sample: SampleRow, name: string): GroupTally | undefined =>
    Object.hasOwn(sample.groups, name) ? sample.groups[name] : undefined;

function formatScore(sample: SampleRow, name: string): CsvCell {
    const group = findGroup(sample, name);
    return group === undefined ? null : computeMeanScore(group);
}

function buildRow(sample: SampleRow, groups: readonly string[]): CsvCell[] {
    const figures = groups.flatMap((name) => {
        const group = findGroup(sample, name);
        if (group === undefined) return FIGURES.map(() => null);
        const { total, failed, skipped } = group;
        return [total, countJudged(group), countAccepted(group), failed, skipped, openIn(group)];
    });
    return [
        sample.id,
        sample.isComplete,
        ...figures,
        computeTruePositiveRate(sample.groups)?.value ?? null,
        computeTrueNegativeRate(sample.groups)?.value ?? null,
        sample.unexpected,
        sample.nearLimit,
    ];
}

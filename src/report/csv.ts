import { type CsvCell, renderCsv } from '../util/csv.js';
import {
    countAccepted,
    countJudged,
    computeMeanScore,
    computeTrueNegativeRate,
    computeTruePositiveRate,
} from './rates.js';
import type { Report, SampleRow } from './report.js';
import { openIn, orderGroups } from './sections.js';

const FIGURES = ['total', 'judged', 'accepted', 'failed', 'skipped', 'open'] as const;
/** Last of all, and only where something has a score: what reads the columns by position still finds them. */
const SCORE = 'mean_score';

/** The report as CSV (see util/csv.ts): one row a sample, rates from 0 to 1, empty where nothing was judged. */
export function reportCsv(report: Report): string {
    const groups = orderGroups(report.total.groups).map(([name]) => name);
    const head = [
        'sample',
        'complete',
        ...groups.flatMap((name) => FIGURES.map((figure) => `${name}_${figure}`)),
        'tpr',
        'tnr',
        'unexpected',
        'near_limit',
        ...listScoredGroups(report).map((name) => `${name}_${SCORE}`),
    ];
    const scored = listScoredGroups(report);
    const rows = report.samples.map((sample) => [
        ...buildRow(sample, groups),
        ...scored.map((name) => formatScore(sample, name)),
    ]);
    return renderCsv([head, ...rows]);
}

/** Groups of which some task has a score. */
const listScoredGroups = ({ total }: Report): string[] =>
    orderGroups(total.groups)
        .filter(([, group]) => computeMeanScore(group) !== null)
        .map(([name]) => name);

function formatScore(sample: SampleRow, name: string): CsvCell {
    const group = Object.hasOwn(sample.groups, name) ? sample.groups[name] : undefined;
    return group === undefined ? null : computeMeanScore(group);
}

function buildRow(sample: SampleRow, groups: readonly string[]): CsvCell[] {
    const figures = groups.flatMap((name) => {
        const group = Object.hasOwn(sample.groups, name) ? sample.groups[name] : undefined;
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

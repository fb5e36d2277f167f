import { type Rate, computeTrueNegativeRate, computeTruePositiveRate } from './rates.js';
import type { Report } from './report.js';
import type { SampleRow } from './report-samples.js';
import { openIn } from './sections.js';

/** Sort keys for samples: rates sort lowest first, counts highest first. */
export const SORT_KEYS = ['id', 'tpr', 'tnr', 'unexpected', 'failed', 'open'] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** Bounds for rates, from 0 to 1. */
export interface RateBounds {
    readonly tpr?: number;
    readonly tnr?: number;
}

/** The report with its samples sorted. */
export function sortSamples(report: Report, by: SortKey): Report {
    const orders: Readonly<Record<SortKey, (sample: SampleRow) => number>> = {
        id: () => 0,
        tpr: ({ groups }) => rankRate(computeTruePositiveRate(groups)),
        tnr: ({ groups }) => rankRate(computeTrueNegativeRate(groups)),
        unexpected: ({ unexpected }) => -unexpected,
        failed: ({ groups }) => -sum(groups, (group) => group.failed),
        open: ({ groups }) => -sum(groups, openIn),
    };
    const samples = report.samples.sortById();
    return { ...report, samples: by === 'id' ? samples : samples.sortBy(orders[by]) };
}

/** Samples without a rate, because nothing was judged, come last. */
const rankRate = (rate: Rate | null): number => rate?.value ?? 2;

const sum = (groups: SampleRow['groups'], of: (group: SampleRow['groups'][string]) => number): number =>
    Object.values(groups).reduce((all, group) => all + of(group), 0);

/** The report with only the samples that have a rate below a bound, and their entries in its lists. The totals stay unchanged. */
export function selectSamplesBelow(report: Report, bounds: RateBounds): Report {
    const samples = report.samples.filter(({ groups }) => findRatesBelow(groups, bounds).length > 0);
    const { unexpected, inPart, nearLimit, aboveOwn, failures } = report.total;
    // The lists are bounded; the samples are not.
    const listed = new Set(
        [unexpected, inPart, nearLimit, aboveOwn, failures].flatMap((list) =>
            list.map(({ sample }) => sample),
        ),
    );
    const ids = new Set<string>();
    for (const { id } of samples) if (listed.has(id)) ids.add(id);
    const among = <T extends { readonly sample: string }>(list: readonly T[]): T[] =>
        list.filter(({ sample }) => ids.has(sample));
    const total = {
        ...report.total,
        unexpected: among(unexpected),
        inPart: among(inPart),
        nearLimit: among(nearLimit),
        aboveOwn: among(aboveOwn),
        failures: among(failures),
    };
    return { ...report, samples, total };
}

/** The rates that are below their bound: `tnr 0.85 < 0.9`. A rate is left out if nothing was judged. */
function findRatesBelow(groups: SampleRow['groups'], bounds: RateBounds): string[] {
    return getRates(groups, bounds).flatMap(({ name, rate, bound }) =>
        rate !== null && rate < bound ? [`${name} ${rate.toFixed(4)} is under ${bound}`] : [],
    );
}

/** The bounds that the whole report misses, in words. If nothing was judged, the missing rate misses its bound. */
export function listMissedBounds(report: Report, bounds: RateBounds): string[] {
    return getRates(report.total.groups, bounds).flatMap(({ name, rate, bound }) => {
        if (rate === null) return [`${name}: no task was judged`];
        return rate < bound ? [`${name} ${rate.toFixed(4)} is under ${bound}`] : [];
    });
}

function getRates(
    groups: SampleRow['groups'],
    bounds: RateBounds,
): { readonly name: string; readonly rate: number | null; readonly bound: number }[] {
    const rates = { tpr: computeTruePositiveRate(groups), tnr: computeTrueNegativeRate(groups) };
    return (['tpr', 'tnr'] as const).flatMap((name) => {
        const bound = bounds[name];
        return bound === undefined ? [] : [{ name, rate: rates[name]?.value ?? null, bound }];
    });
}

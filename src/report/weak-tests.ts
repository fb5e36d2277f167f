import type { SampleTally } from '../model/tally.js';
import { compareNatural, count, formatCount, formatPercent } from './format.js';
import type { Page } from './page.js';
import { computeTrueNegativeRate } from './rates.js';
import { type Cell, renderTable } from './table.js';

/** Most samples listed: those with the weakest tests. */
const MAX_SAMPLES = 20;
/** Number of samples that are held before they are sorted and only the weakest are kept. */
const HELD = 1000;

/** Samples whose tests accept incorrect solutions, the lowest TNR first; empty if there are none. */
export function renderWeakTests(
    samples: Iterable<{ readonly id: string; readonly groups: SampleTally['groups'] }>,
    { width, style }: Page,
): string[] {
    let found = 0;
    let weakest: WeakSample[] = [];
    for (const { id, groups } of samples) {
        const rate = computeTrueNegativeRate(groups);
        if (rate === null || rate.value === null || rate.value === 1) continue;
        found += 1;
        weakest.push({ id, ...rate, value: rate.value });
        if (weakest.length >= HELD) weakest = weakest.sort(compareWeak).slice(0, MAX_SAMPLES);
    }
    if (found === 0) return [];
    const rows = weakest
        .sort(compareWeak)
        .slice(0, MAX_SAMPLES)
        .map(({ id, hits, judged }): Cell[] => [
            id,
            { text: formatPercent(hits, judged), paint: style.yellow },
            `${count(judged - hits)} of ${count(judged)} incorrect solutions accepted`,
        ]);
    const columns = [
        { title: '', align: 'left', atLeast: 16 },
        { title: '', align: 'right' },
        { title: '', align: 'left' },
    ] as const;
    return [
        style.bold(`Weak tests: ${formatCount(found, 'sample')}, lowest TNR first`),
        ...renderTable(columns, rows, { width, indent: '  ' }),
        ...(found > rows.length ? [`  …and ${count(found - rows.length)} more (--sort tnr)`] : []),
    ];
}

interface WeakSample {
    readonly id: string;
    readonly hits: number;
    readonly judged: number;
    readonly value: number;
}

const compareWeak = (a: WeakSample, b: WeakSample): number =>
    a.value - b.value || b.judged - a.judged || compareNatural(a.id, b.id);

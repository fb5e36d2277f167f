import type { SampleTally } from '../model/tally.js';
import { compareNatural, count, formatCount, formatPercent } from './format.js';
import type { Page } from './page.js';
import { computeTrueNegativeRate } from './rates.js';
import { type Cell, renderTable } from './table.js';

/** Most samples listed: those whose tests are weakest. */
const MOST = 20;

/** Samples whose tests let incorrect solutions through, the lowest TNR first; nothing where there are none. */
export function renderWeakTests(
    samples: readonly { readonly id: string; readonly groups: SampleTally['groups'] }[],
    { width, style }: Page,
): string[] {
    const weak = samples
        .flatMap(({ id, groups }) => {
            const rate = computeTrueNegativeRate(groups);
            return rate === null || rate.value === null || rate.value === 1
                ? []
                : [{ id, ...rate, value: rate.value }];
        })
        .sort((a, b) => a.value - b.value || b.judged - a.judged || compareNatural(a.id, b.id));
    if (weak.length === 0) return [];
    const rows = weak
        .slice(0, MOST)
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
        style.bold(`Weak tests: ${formatCount(weak.length, 'sample')}, lowest TNR first`),
        ...renderTable(columns, rows, { width, indent: '  ' }),
        ...(weak.length > rows.length
            ? [`  …and ${count(weak.length - rows.length)} more (--sort tnr)`]
            : []),
    ];
}

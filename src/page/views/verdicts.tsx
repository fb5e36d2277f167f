import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { FLAG_UNEXPECTED, OUTCOMES, type TaskOutcome } from '../../model/page-data.js';
import type { RunData } from '../data/run-data.js';
import { showCount } from '../language/figures.js';
import { say } from '../language/text.js';
import { downloadCsv } from '../parts/download.js';
import { nameOutcome } from '../parts/outcome.js';
import { formatLabel } from '../parts/shown-text.js';
import { buildRoute } from '../route.js';
import type { ViewProps } from './view-props.js';

interface VerdictMatrix {
    readonly group: string;
    readonly outcomes: readonly TaskOutcome[];
    readonly rows: readonly {
        readonly expected: string;
        readonly cells: readonly { readonly count: number; readonly isUnexpected: boolean }[];
        readonly total: number;
    }[];
}

/** Expected against actual verdicts, a table for each group. */
export function VerdictsView({ data }: ViewProps): JSX.Element {
    const matrices = useMemo(() => buildMatrices(data), [data]);
    return (
        <>
            {matrices.map((matrix) => (
                <Matrix key={matrix.group} matrix={matrix} />
            ))}
        </>
    );
}

function Matrix({ matrix: { group, outcomes, rows } }: { readonly matrix: VerdictMatrix }): JSX.Element {
    const save = (): void =>
        downloadCsv(`verdicts-${group}`, [
            [say('expected'), ...outcomes, say('total')],
            ...rows.map(({ expected, cells, total }) => [
                expected,
                ...cells.map(({ count }) => count),
                total,
            ]),
        ]);
    return (
        <section>
            <div class="section-head">
                <h2>{say('matrixOf', { group: formatLabel(group) })}</h2>
                <button type="button" class="quiet" onClick={save}>
                    {say('downloadCsv')}
                </button>
            </div>
            <div
                class="scroll-x"
                tabIndex={0}
                role="region"
                aria-label={say('matrixOf', { group: formatLabel(group) })}
            >
                <table class="matrix">
                    <thead>
                        <tr>
                            <th scope="col">{say('expected')}</th>
                            {outcomes.map((outcome) => (
                                <th key={outcome} scope="col">
                                    {nameOutcome(outcome)}
                                </th>
                            ))}
                            <th scope="col">{say('total')}</th>
                        </tr>
                    </thead>
                    <tbody>
                        {rows.map(({ expected, cells, total }) => (
                            <tr key={expected}>
                                <th scope="row">{nameExpected(expected)}</th>
                                {cells.map(({ count, isUnexpected }, at) => (
                                    <td
                                        key={outcomes[at]}
                                        class={cellClass(count, isUnexpected, expected, outcomes[at])}
                                    >
                                        {count === 0 ? (
                                            '·'
                                        ) : (
                                            <a
                                                href={buildRoute('tasks', {
                                                    group,
                                                    expected: expected === '' ? '-' : expected,
                                                    verdict: outcomes[at],
                                                })}
                                            >
                                                {showCount(count)}
                                            </a>
                                        )}
                                    </td>
                                ))}
                                <td>{showCount(total)}</td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </div>
        </section>
    );
}

function cellClass(
    count: number,
    isUnexpected: boolean,
    expected: string,
    outcome: TaskOutcome | undefined,
): string {
    if (count === 0) return 'faint';
    if (isUnexpected || outcome === 'failed') return 'bad-cell';
    return expected === '' || outcome === 'pending' || outcome === 'skipped' ? '' : 'good-cell';
}

/** Datasets expect every verdict but one from incorrect solutions; a short form reads better. */
export function nameExpected(expected: string): string {
    if (expected === '') return '–';
    const verdicts = expected.split(' ');
    return verdicts.length > 3 && !verdicts.includes('Accepted') ? `≠ Accepted` : verdicts.join(', ');
}

function buildMatrices(data: RunData): readonly VerdictMatrix[] {
    const { groups, dictionaries } = data.header;
    const width = OUTCOMES.length;
    const sets = dictionaries.expected.length;
    const counts = new Uint32Array(groups.length * sets * width);
    const unexpected = new Uint8Array(counts.length);
    for (let entry = 0; entry < data.count; entry += 1) {
        const row = data.value('group', entry) * sets + data.value('expected', entry);
        const at = row * width + data.value('outcome', entry);
        counts[at] = (counts[at] ?? 0) + 1;
        if (data.hasFlag(entry, FLAG_UNEXPECTED)) unexpected[at] = 1;
    }
    return groups.flatMap((group, groupAt) => {
        const isSeen = (outcome: number): boolean =>
            dictionaries.expected.some(
                (_, set) => (counts[(groupAt * sets + set) * width + outcome] ?? 0) > 0,
            );
        const numbers = OUTCOMES.map((_, number) => number).filter(isSeen);
        const rows = dictionaries.expected.flatMap((expected, set) => {
            const cells = numbers.map((number) => {
                const at = (groupAt * sets + set) * width + number;
                return { count: counts[at] ?? 0, isUnexpected: unexpected[at] === 1 };
            });
            const total = cells.reduce((sum, { count }) => sum + count, 0);
            return total === 0 ? [] : [{ expected, cells, total }];
        });
        if (rows.length === 0) return [];
        return [{ group, outcomes: numbers.flatMap((number) => OUTCOMES[number] ?? []), rows }];
    });
}

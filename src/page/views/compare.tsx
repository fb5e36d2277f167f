import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { compareRuns, type RunComparison } from '../data/compare-runs.js';
import { RunData } from '../data/run-data.js';
import type { PageSource } from '../data/detail-source.js';
import { showCount, showNumber } from '../language/figures.js';
import { say } from '../language/text.js';
import { ChoiceFilter, FilterBar } from '../parts/filter-bar.js';
import { OutcomeMark } from '../parts/outcome.js';
import { formatLabel } from '../parts/shown-text.js';
import { type TableColumn, VirtualTable } from '../parts/virtual-table.js';
import { type Route, buildRoute, nameTask } from '../route.js';

interface CompareProps {
    readonly data: RunData;
    readonly route: Route;
    readonly source: PageSource;
}

/** Compares this run with another available one. */
export function CompareView({ data, route, source }: CompareProps): JSX.Element {
    const others = source.runs.flatMap((dir, at) => (at === source.run ? [] : [[String(at), dir] as const]));
    const chosen = route.filters['other'] ?? (others.length === 1 ? others[0]?.[0] : undefined);
    const [other, setOther] = useState<RunData | null>(null);
    useEffect(() => {
        setOther(null);
        if (chosen === undefined) return;
        const load = async (): Promise<void> => setOther(new RunData(await source.readPage(Number(chosen))));
        void load();
    }, [source, chosen]);
    const comparison = useMemo(() => (other === null ? null : compareRuns(data, other)), [data, other]);
    if (others.length === 0) return <p class="empty">{say('onlyOneRun')}</p>;
    return (
        <>
            {!source.isFile && (
                <FilterBar route={route} keeps={['other']}>
                    <ChoiceFilter
                        route={route}
                        filter="other"
                        label={say('otherRun')}
                        any={say('otherRun')}
                        options={others}
                    />
                </FilterBar>
            )}
            {chosen === undefined && <p class="empty">{say('chooseOther')}</p>}
            {comparison !== null && other !== null && (
                <Comparison data={data} other={other} comparison={comparison} route={route} />
            )}
        </>
    );
}

function Comparison({
    data,
    other,
    comparison,
    route,
}: {
    readonly data: RunData;
    readonly other: RunData;
    readonly comparison: RunComparison;
    readonly route: Route;
}): JSX.Element {
    const columns = useMemo(() => columnsFor(data, other), [data, other]);
    const figures: readonly (readonly [string, string])[] = [
        [say('sharedTasks'), showCount(comparison.pairs)],
        [say('regressions'), showCount(comparison.regressions)],
        [say('fixes'), showCount(comparison.fixes)],
        [say('bothRight'), showCount(comparison.bothRight)],
        [say('bothWrong'), showCount(comparison.bothWrong)],
        [say('onlyFirst'), showCount(comparison.onlyFirst)],
        [say('onlySecond'), showCount(comparison.onlySecond)],
        [say('mcnemarTasks'), `p = ${showNumber(comparison.byTasks, 4)}`],
        [say('mcnemarSamples'), `p = ${showNumber(comparison.bySamples, 4)}`],
    ];
    return (
        <>
            <p>
                {say('first')}: {formatLabel(data.header.dir)} · {say('second')}:{' '}
                {formatLabel(other.header.dir)}
            </p>
            <dl class="totals">
                {figures.map(([label, value]) => (
                    <div key={label}>
                        <dt>{label}</dt>
                        <dd>{value}</dd>
                    </div>
                ))}
            </dl>
            <VirtualTable
                name="changes"
                label={say('compare')}
                route={route}
                columns={columns}
                rows={comparison.changes}
                order="-change"
            />
            <p class="note">{say('mcnemarNote')}</p>
        </>
    );
}

type ChangeRow = RunComparison['changes'][number];

function columnsFor(data: RunData, other: RunData): readonly TableColumn<ChangeRow>[] {
    return [
        {
            key: 'sample',
            title: say('sample'),
            width: 'minmax(10rem, 2fr)',
            value: ({ first }) => data.getSample(first),
            cell: ({ first }) => (
                <a
                    href={buildRoute('compare', {
                        task: nameTask(
                            data.getSample(first),
                            data.getGroup(first),
                            data.value('index', first),
                        ),
                    })}
                >
                    {formatLabel(data.getSample(first))}
                </a>
            ),
        },
        {
            key: 'group',
            title: say('group'),
            width: '10rem',
            value: ({ first }) => data.getGroup(first),
            cell: ({ first }) => formatLabel(data.getGroup(first)),
        },
        {
            key: 'index',
            title: say('index'),
            width: '5rem',
            align: 'right',
            value: ({ first }) => data.value('index', first),
            cell: ({ first }) => data.value('index', first),
        },
        {
            key: 'first',
            title: say('first'),
            width: '12rem',
            value: ({ first }) => data.getOutcome(first),
            cell: ({ first }) => <OutcomeMark data={data} entry={first} />,
        },
        {
            key: 'second',
            title: say('second'),
            width: '12rem',
            value: ({ second }) => other.getOutcome(second),
            cell: ({ second }) => <OutcomeMark data={other} entry={second} />,
        },
        {
            key: 'change',
            title: say('change'),
            width: '8rem',
            value: ({ kind }) => kind,
            cell: ({ kind }) => <span class={kind === 'regression' ? 'bad' : ''}>{say(kind)}</span>,
        },
    ];
}

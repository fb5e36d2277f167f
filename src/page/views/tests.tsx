import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { readOnSamples } from '../../model/sample-tests.js';
import {
    computeAcceptedShare,
    computeSamplesShare,
    computeTnr,
    computeTpr,
    type SampleSummary,
} from '../data/run-data.js';
import { showCount, showShare } from '../language/figures.js';
import { say } from '../language/text.js';
import { FilterBar, SearchBox } from '../parts/filter-bar.js';
import { QuietCount, RateBar } from '../parts/rate-bar.js';
import { formatLabel } from '../parts/shown-text.js';
import { type TableColumn, VirtualTable } from '../parts/virtual-table.js';
import { buildRoute } from '../route.js';
import type { ViewProps } from './view-props.js';

/** Shows which test sets are weak. */
export function TestsView({ data, route }: ViewProps): JSX.Element {
    const query = (route.filters['q'] ?? '').toLowerCase();
    const rows = useMemo(
        () => data.summaries.filter(({ id }) => id.toLowerCase().includes(query)),
        [data, query],
    );
    const groups = useMemo(() => data.listGroups(), [data]);
    const columns = useMemo(() => columnsFor(groups, data.has('limit')), [data, groups]);
    const order = groups.includes('incorrect_solution')
        ? 'tnr'
        : groups.includes('solution')
          ? 'tpr'
          : groups.some((group) => readOnSamples(group) !== null)
            ? 'samples'
            : 'accepted';
    return (
        <>
            <Totals summaries={data.summaries} />
            <FilterBar route={route}>
                <SearchBox route={route} label={say('searchSamples')} />
                <span class="faint">
                    {say('samplesShown', {
                        shown: showCount(rows.length),
                        count: showCount(data.summaries.length),
                    })}
                </span>
            </FilterBar>
            <VirtualTable
                name="test-sets"
                label={say('tests')}
                route={route}
                columns={columns}
                rows={rows}
                order={order}
            />
        </>
    );
}

function Totals({ summaries }: { readonly summaries: readonly SampleSummary[] }): JSX.Element {
    const sum = (pick: (summary: SampleSummary) => number): number =>
        summaries.reduce((total, summary) => total + pick(summary), 0);
    const shares = [
        {
            name: 'TPR',
            about: say('tprAbout'),
            hits: sum((one) => one.rightAccepted),
            judged: sum((one) => one.rightJudged),
        },
        {
            name: 'TNR',
            about: say('tnrAbout'),
            hits: sum((one) => one.wrongRejected),
            judged: sum((one) => one.wrongJudged),
        },
        {
            name: say('onSamples'),
            about: say('onSamplesAbout'),
            hits: sum((one) => one.samplesRight),
            judged: sum((one) => one.samplesJudged),
        },
        {
            name: say('accepted'),
            about: '',
            hits: sum((one) => one.otherAccepted),
            judged: sum((one) => one.otherJudged),
        },
    ].filter(({ judged }) => judged > 0);
    const inPart = sum((one) => one.rightInPart);
    const counts: readonly {
        readonly name: string;
        readonly about?: string;
        readonly value: number;
        readonly href: string;
    }[] = [
        { name: say('unexpected'), value: sum((one) => one.unexpected), href: buildRoute('unexpected') },
        ...(inPart === 0
            ? []
            : [
                  {
                      name: say('inPart'),
                      about: say('inPartAbout'),
                      value: inPart,
                      href: buildRoute('tasks', { group: 'solution', verdict: 'PartiallyAccepted' }),
                  },
              ]),
        {
            name: say('failed'),
            value: sum((one) => one.failed),
            href: buildRoute('tasks', { verdict: 'failed' }),
        },
        {
            name: say('skipped'),
            value: sum((one) => one.skipped),
            href: buildRoute('tasks', { verdict: 'skipped' }),
        },
        { name: say('open'), value: sum((one) => one.open), href: '' },
    ];
    return (
        <dl class="totals">
            {shares.map(({ name, about, hits, judged }) => (
                <div key={name} title={about}>
                    <dt>{name}</dt>
                    <dd class={hits === judged || about === '' ? '' : 'bad'}>{showShare(hits / judged)}</dd>
                    <dd class="faint">{say('of', { hits: showCount(hits), judged: showCount(judged) })}</dd>
                </div>
            ))}
            {counts.map(({ name, about = '', value, href }) => (
                <div key={name} title={about}>
                    <dt>{name}</dt>
                    <dd>
                        {value > 0 && href !== '' ? <a href={href}>{showCount(value)}</a> : showCount(value)}
                    </dd>
                </div>
            ))}
        </dl>
    );
}

function columnsFor(groups: readonly string[], hasLimits: boolean): readonly TableColumn<SampleSummary>[] {
    const hasRight = groups.includes('solution');
    const hasWrong = groups.includes('incorrect_solution');
    const hasOnSamples = groups.some((group) => readOnSamples(group) !== null);
    const hasOther = groups.some(
        (group) => group !== 'solution' && group !== 'incorrect_solution' && readOnSamples(group) === null,
    );
    const all: (TableColumn<SampleSummary> | false)[] = [
        {
            key: 'id',
            title: say('sample'),
            width: 'minmax(10rem, 3fr)',
            value: ({ id }) => id,
            cell: ({ id }) => <a href={buildRoute('tasks', { sample: id })}>{formatLabel(id)}</a>,
        },
        hasRight && {
            key: 'tpr',
            title: 'TPR',
            about: say('tprAbout'),
            width: '8.5rem',
            align: 'right',
            value: computeTpr,
            cell: ({ rightAccepted, rightJudged }) => <RateBar hits={rightAccepted} judged={rightJudged} />,
        },
        hasWrong && {
            key: 'tnr',
            title: 'TNR',
            about: say('tnrAbout'),
            width: '8.5rem',
            align: 'right',
            value: computeTnr,
            cell: ({ wrongRejected, wrongJudged }) => <RateBar hits={wrongRejected} judged={wrongJudged} />,
        },
        hasOnSamples && {
            key: 'samples',
            title: say('onSamples'),
            about: say('onSamplesAbout'),
            width: '8.5rem',
            align: 'right',
            value: computeSamplesShare,
            cell: ({ samplesRight, samplesJudged }) => (
                <RateBar hits={samplesRight} judged={samplesJudged} isNeutral />
            ),
        },
        hasOther && {
            key: 'accepted',
            title: say('accepted'),
            width: '8.5rem',
            align: 'right',
            value: computeAcceptedShare,
            cell: ({ otherAccepted, otherJudged }) => (
                <RateBar hits={otherAccepted} judged={otherJudged} isNeutral />
            ),
        },
        hasWrong && {
            key: 'wrong',
            title: say('wrongAccepted'),
            width: '8.5rem',
            align: 'right',
            first: 'descending',
            value: ({ wrongJudged, wrongRejected }) => wrongJudged - wrongRejected,
            cell: ({ id, wrongJudged, wrongRejected }) =>
                linkedCount(
                    wrongJudged - wrongRejected,
                    buildRoute('tasks', { sample: id, group: 'incorrect_solution', verdict: 'Accepted' }),
                ),
        },
        hasRight && {
            key: 'refused',
            title: say('rightRefused'),
            width: '8.5rem',
            align: 'right',
            first: 'descending',
            value: ({ rightJudged, rightAccepted }) => rightJudged - rightAccepted,
            cell: ({ id, rightJudged, rightAccepted }) =>
                linkedCount(
                    rightJudged - rightAccepted,
                    buildRoute('tasks', { sample: id, group: 'solution', verdict: 'rejected' }),
                ),
        },
        countColumn('unexpected', say('unexpected'), ({ unexpected }) => unexpected),
        countColumn('failed', say('failed'), ({ failed }) => failed),
        countColumn('open', say('open'), ({ open }) => open),
        hasLimits && {
            key: 'slowest',
            title: say('shareOfLimit'),
            about: say('ofLimit'),
            width: '6rem',
            align: 'right',
            first: 'descending',
            value: ({ slowest }) => slowest,
            cell: ({ slowest }) => <span class={slowest > 0.9 ? 'bad' : ''}>{showShare(slowest)}</span>,
        },
    ];
    return all.filter((column) => column !== false);
}

function linkedCount(value: number, href: string): JSX.Element {
    return value === 0 ? (
        <QuietCount value={0} />
    ) : (
        <a class="bad" href={href}>
            {showCount(value)}
        </a>
    );
}

function countColumn(
    key: string,
    title: string,
    value: (summary: SampleSummary) => number,
): TableColumn<SampleSummary> {
    return {
        key,
        title,
        width: '7rem',
        align: 'right',
        first: 'descending',
        value,
        cell: (summary) => <QuietCount value={value(summary)} isBad={key !== 'open'} />,
    };
}

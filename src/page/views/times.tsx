import * as Plot from '@observablehq/plot';
import type { JSX } from 'preact';
import { useCallback, useMemo } from 'preact/hooks';
import { OUTCOMES, type TaskOutcome } from '../../model/page-data.js';
import type { RunData } from '../data/run-data.js';
import { selectEntries } from '../data/select-entries.js';
import { showSeconds, showShare } from '../language/figures.js';
import { say } from '../language/text.js';
import { Chart } from '../parts/chart.js';
import { type TableColumn, VirtualTable } from '../parts/virtual-table.js';
import { buildTaskColumns, TaskFilters, useShownTasks } from './tasks.js';
import type { ViewProps } from './view-props.js';

/** Width of a bar as a share of the limit, and where the last bar begins. */
const BIN = 0.05;
const LAST_BIN = 1.2;

/** Run times compared with limits. */
export function TimesView({ data, route, shown }: ViewProps): JSX.Element {
    const { task: _task, sort: _sort, ...asked } = route.filters;
    const key = JSON.stringify(asked);
    const entries = useMemo(
        () => selectEntries(data, asked).filter((entry) => !Number.isNaN(computeShareOfLimit(data, entry))),
        [data, key],
    );
    const columns = useMemo(
        () => [shareColumn(data), ...buildTaskColumns(data, { view: 'times', filters: asked })],
        [data, key],
    );
    const bins = useMemo(() => countByBin(data, entries), [data, entries]);
    const draw = useCallback((width: number) => drawTimes(bins, width), [bins]);
    const onOrder = useShownTasks(shown);
    return (
        <>
            <TaskFilters data={data} route={route} shown={entries.length} />
            <Chart name="run-times" title={say('ofLimit')} draw={draw} />
            <h2>{say('slowest')}</h2>
            <VirtualTable
                name="run-times"
                label={say('slowest')}
                route={route}
                columns={columns}
                rows={entries}
                order="-share"
                onOrder={onOrder}
            />
        </>
    );
}

/** Time of the slowest test divided by the limit; NaN if either is unknown. */
export function computeShareOfLimit(data: RunData, entry: number): number {
    const limit = data.value('limit', entry);
    const time = data.value('time', entry);
    return limit > 0 && time > 0 ? time / limit : Number.NaN;
}

function shareColumn(data: RunData): TableColumn<number> {
    return {
        key: 'share',
        title: say('shareOfLimit'),
        about: say('ofLimit'),
        width: '6rem',
        align: 'right',
        first: 'descending',
        value: (entry) => computeShareOfLimit(data, entry),
        cell: (entry) => {
            const share = computeShareOfLimit(data, entry);
            const shown = share > 1 ? `${Math.round(share * 100)} %` : showShare(share);
            return <span title={showSeconds(data.value('time', entry))}>{shown}</span>;
        },
    };
}

interface TimeBin {
    readonly from: number;
    readonly outcome: TaskOutcome;
    count: number;
}

function countByBin(data: RunData, entries: readonly number[]): readonly TimeBin[] {
    const bins = new Map<string, TimeBin>();
    for (const entry of entries) {
        const share = Math.min(LAST_BIN, computeShareOfLimit(data, entry));
        const number = Math.floor(share / BIN + 1e-9);
        const outcome = data.getOutcome(entry);
        const key = `${number} ${outcome}`;
        const bin = bins.get(key);
        if (bin === undefined) bins.set(key, { from: number * BIN, outcome, count: 1 });
        else bin.count += 1;
    }
    const order = (outcome: TaskOutcome): number => OUTCOMES.indexOf(outcome);
    return [...bins.values()].sort((a, b) => order(a.outcome) - order(b.outcome));
}

/** Colours of outcomes; the legend names them. */
const OUTCOME_COLOURS = {
    Accepted: 'var(--accepted)',
    WrongAnswer: 'var(--verdict-wa)',
    TimeLimitExceeded: 'var(--verdict-tle)',
    MemoryLimitExceeded: 'var(--verdict-mle)',
    OutputLimitExceeded: 'var(--verdict-ole)',
    RuntimeError: 'var(--verdict-rte)',
    CompileError: 'var(--verdict-ce)',
    PartiallyAccepted: 'var(--pending)',
    Refused: 'var(--skipped)',
    failed: 'var(--failed)',
    pending: 'var(--pending)',
    skipped: 'var(--skipped)',
} as const satisfies Readonly<Record<TaskOutcome, string>>;

function nameBin(from: number): string {
    const percent = Math.round(from * 100);
    return from < LAST_BIN ? `${percent}–${Math.round((from + BIN) * 100)} %` : `≥ ${percent} %`;
}

function drawTimes(bins: readonly TimeBin[], width: number): Element {
    const seen = new Set(bins.map(({ outcome }) => outcome));
    const outcomes = OUTCOMES.filter((outcome) => seen.has(outcome));
    return Plot.plot({
        width,
        height: 240,
        marginLeft: 55,
        x: {
            label: say('ofLimit'),
            // The last bar holds all longer times.
            tickFormat: (share: number) => `${share < LAST_BIN ? '' : '≥ '}${Math.round(share * 100)} %`,
            domain: [0, LAST_BIN + BIN],
        },
        y: { label: say('tasksAxis'), grid: true },
        color: { domain: outcomes, range: outcomes.map((outcome) => OUTCOME_COLOURS[outcome]), legend: true },
        marks: [
            Plot.rectY(bins, {
                x1: 'from',
                x2: ({ from }: TimeBin) => from + BIN,
                y: 'count',
                fill: 'outcome',
                insetLeft: 1,
                title: ({ from, outcome, count }: TimeBin) => `${nameBin(from)}: ${count} ${outcome}`,
            }),
            Plot.ruleX([1], { stroke: 'var(--bad)', strokeDasharray: '4 3' }),
            Plot.ruleY([0]),
        ],
    });
}

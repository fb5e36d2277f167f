import * as Plot from '@observablehq/plot';
import type { JSX } from 'preact';
import { useCallback, useMemo } from 'preact/hooks';
import type { RunData } from '../data/run-data.js';
import { DIMENSIONS, type ModelDimension, type ModelCell, buildModelCells } from '../data/model-cells.js';
import { showCost, showCount, showNumber, showShare } from '../language/figures.js';
import { say } from '../language/text.js';
import { Chart } from '../parts/chart.js';
import { ChoiceFilter, FilterBar } from '../parts/filter-bar.js';
import { RateBar } from '../parts/rate-bar.js';
import { formatLabel } from '../parts/shown-text.js';
import { type TableColumn, VirtualTable } from '../parts/virtual-table.js';
import { buildRoute } from '../route.js';
import type { ViewProps } from './view-props.js';

/** Whether the run has anything to compare models by. */
export function hasModels(data: RunData): boolean {
    return data.has('model') || data.has('promptType') || data.has('taskType') || data.has('difficulty');
}

/** Models x another dimension: rates with intervals, pass@k, cost against accuracy. */
export function ModelsView({ data, route }: ViewProps): JSX.Element {
    const dimensions = useMemo(() => DIMENSIONS.filter((dimension) => data.has(dimension)), [data]);
    const by = dimensions.find((dimension) => dimension === route.filters['by']) ?? null;
    const cells = useMemo(() => buildModelCells(data, by), [data, by]);
    const whole = useMemo(() => buildModelCells(data, null), [data]);
    const columns = useMemo(() => columnsFor(data, by, cells), [data, by, cells]);
    const drawRates = useCallback((width: number) => ratesPlot(cells, width), [cells]);
    const drawCost = useCallback((width: number) => costPlot(whole, width), [whole]);
    return (
        <>
            <FilterBar route={route} keeps={['by']}>
                <ChoiceFilter
                    route={route}
                    filter="by"
                    label={say('by')}
                    any={say('model')}
                    options={dimensions.map((dimension) => [dimension, say(dimension)])}
                />
            </FilterBar>
            <div class="charts">
                <Chart name="rates" title={say('rateWithInterval')} draw={drawRates} />
                {whole.some(({ cost }) => cost > 0) && (
                    <Chart name="cost-accuracy" title={say('costAgainstAccuracy')} draw={drawCost} />
                )}
            </div>
            <VirtualTable
                name="models"
                label={say('models')}
                route={route}
                columns={columns}
                rows={cells}
                order="-rate"
            />
            <p class="note">
                {say('clusteredNote')} {say('passNote')}
            </p>
        </>
    );
}

const FILTER_OF: Readonly<Record<ModelDimension, string>> = {
    promptType: 'prompt',
    difficulty: 'difficulty',
    taskType: 'task_type',
    language: 'lang',
};

function columnsFor(
    data: RunData,
    by: ModelDimension | null,
    cells: readonly ModelCell[],
): readonly TableColumn<ModelCell>[] {
    const ks = [...new Set(cells.flatMap(({ passAt }) => passAt.map(({ k }) => k)))].sort((a, b) => a - b);
    const href = ({ model, part }: ModelCell): string =>
        buildRoute('tasks', {
            model: model === '' ? '' : model,
            ...(by === null ? {} : { [FILTER_OF[by]]: part === '' ? '-' : part }),
        });
    const getPassAt = ({ passAt }: ModelCell, k: number): number =>
        passAt.find((one) => one.k === k)?.value ?? Number.NaN;
    const all: (TableColumn<ModelCell> | false)[] = [
        {
            key: 'model',
            title: say('model'),
            width: 'minmax(10rem, 2fr)',
            value: ({ model }) => model,
            cell: (cell) => <a href={href(cell)}>{formatLabel(cell.model === '' ? '–' : cell.model)}</a>,
        },
        by !== null && {
            key: 'part',
            title: say(by),
            width: 'minmax(8rem, 1fr)',
            value: ({ part }) => part,
            cell: ({ part }) => formatLabel(part === '' ? '–' : part),
        },
        numeric('judged', say('tasks'), ({ judged }) => judged, showCount),
        {
            key: 'rate',
            title: say('rate'),
            width: '9rem',
            align: 'right',
            first: 'descending',
            value: ({ share }) => share,
            cell: ({ accepted, judged }) => <RateBar hits={accepted} judged={judged} isNeutral />,
        },
        {
            key: 'interval',
            title: say('interval'),
            width: '10rem',
            align: 'right',
            value: ({ interval }) => interval?.low ?? Number.NaN,
            cell: ({ interval }) =>
                interval === null ? '' : `${showShare(interval.low)} – ${showShare(interval.high)}`,
        },
        ...ks.map((k) => numeric(`pass${k}`, `pass@${k}`, (cell) => getPassAt(cell, k), showShare)),
        data.has('promptTokens') &&
            numeric('tokens', say('meanTokens'), ({ tokens, judged }) => tokens / judged, showCount),
        data.has('cost') && numeric('cost', say('totalCost'), ({ cost }) => cost, showCost),
    ];
    return all.filter((column) => column !== false);
}

function numeric(
    key: string,
    title: string,
    value: (cell: ModelCell) => number,
    show: (value: number) => string,
): TableColumn<ModelCell> {
    return {
        key,
        title,
        width: '7.5rem',
        align: 'right',
        first: 'descending',
        value,
        cell: (cell) => (Number.isNaN(value(cell)) ? '–' : show(value(cell))),
    };
}

/** Most rows in the plot: more would be unreadable. */
const MAX_PLOTTED = 60;
/** Maximum number of characters in a label. */
const LABEL = 24;

function nameCell({ model, part }: ModelCell): string {
    const name = [model, part].filter((text) => text !== '').join(', ');
    const shown = formatLabel(name === '' ? '–' : name);
    return shown.length > LABEL ? `${shown.slice(0, LABEL - 1)}…` : shown;
}

function ratesPlot(cells: readonly ModelCell[], width: number): Element {
    const rows = [...cells]
        .sort((a, b) => b.share - a.share)
        .slice(0, MAX_PLOTTED)
        // Two names that are shortened to the same label must not share a row.
        .map((cell, at) => ({ ...cell, at, name: nameCell(cell) }));
    return Plot.plot({
        width,
        height: 50 + 24 * rows.length,
        marginLeft: Math.min(170, width * 0.4),
        x: {
            domain: [0, 1],
            grid: true,
            label: say('rate'),
            tickFormat: (share: number) => `${Math.round(share * 100)} %`,
        },
        y: {
            label: null,
            domain: rows.map(({ at }) => at),
            tickFormat: (at: number) => rows[at]?.name ?? '',
        },
        marks: [
            Plot.ruleY(rows, {
                y: 'at',
                x1: ({ interval, share }: ModelCell) => interval?.low ?? share,
                x2: ({ interval, share }: ModelCell) => interval?.high ?? share,
                stroke: 'var(--accent)',
                strokeWidth: 2,
            }),
            Plot.dot(rows, {
                y: 'at',
                x: 'share',
                fill: 'var(--accent)',
                r: 4,
                title: ({ accepted, judged, name }: ModelCell & { readonly name: string }) =>
                    `${name}: ${accepted}/${judged}`,
            }),
        ],
    });
}

function costPlot(cells: readonly ModelCell[], width: number): Element {
    const rows = cells
        .filter(({ cost }) => cost > 0)
        .slice(0, MAX_PLOTTED)
        .map((cell) => ({ ...cell, each: cell.cost / cell.judged, name: nameCell(cell) }));
    return Plot.plot({
        width,
        height: 280,
        marginLeft: 50,
        marginRight: 20,
        x: {
            label: say('costPerTask'),
            grid: true,
            nice: true,
            zero: true,
            insetRight: 30,
            ticks: Math.floor(width / 90),
            tickFormat: (cost: number) => showNumber(cost, 5),
        },
        y: {
            label: say('rate'),
            grid: true,
            domain: [0, 1],
            tickFormat: (share: number) => `${Math.round(share * 100)} %`,
        },
        marks: [
            Plot.ruleX(rows, {
                x: 'each',
                y1: ({ interval, share }: ModelCell) => interval?.low ?? share,
                y2: ({ interval, share }: ModelCell) => interval?.high ?? share,
                stroke: 'var(--accent)',
            }),
            Plot.dot(rows, { x: 'each', y: 'share', fill: 'var(--accent)', r: 4 }),
            Plot.text(rows, { x: 'each', y: 'share', text: 'name', dy: -10, fill: 'var(--text)' }),
        ],
    });
}

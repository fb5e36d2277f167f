import type { JSX } from 'preact';
import { useCallback, useEffect, useMemo } from 'preact/hooks';
import type { RunData } from '../data/run-data.js';
import { listChoices, listOutcomes, selectEntries } from '../data/select-entries.js';
import { showBytes, showCost, showCount, showNumber, showSeconds } from '../language/figures.js';
import { say } from '../language/text.js';
import { ChoiceFilter, FilterBar, SearchBox, SwitchFilter } from '../parts/filter-bar.js';
import { OutcomeMark, nameOutcome } from '../parts/outcome.js';
import { formatLabel } from '../parts/shown-text.js';
import { type TableColumn, VirtualTable } from '../parts/virtual-table.js';
import { type Route, buildRoute, nameTask } from '../route.js';
import { nameExpected } from './verdicts.js';
import type { ViewProps } from './view-props.js';

/** All tasks that match the filters of the address. */
export function TasksView({ data, route, shown }: ViewProps): JSX.Element {
    const { task: _task, sort: _sort, ...asked } = route.filters;
    const key = JSON.stringify(asked);
    const entries = useMemo(() => selectEntries(data, asked), [data, key]);
    const columns = useMemo(() => buildTaskColumns(data, { view: 'tasks', filters: asked }), [data, key]);
    const onOrder = useShownTasks(shown);
    return (
        <>
            <TaskFilters data={data} route={route} shown={entries.length} />
            <VirtualTable
                name="tasks"
                label={say('tasks')}
                route={route}
                columns={columns}
                rows={entries}
                onOrder={onOrder}
            />
        </>
    );
}

/** Remembers which tasks a list shows, for as long as the list is mounted. @returns a function that takes the list */
export function useShownTasks(shown: ViewProps['shown']): (entries: readonly number[]) => void {
    useEffect(
        () => () => {
            shown.current = [];
        },
        [shown],
    );
    return useCallback(
        (entries) => {
            shown.current = entries;
        },
        [shown],
    );
}

export function TaskFilters({
    data,
    route,
    shown,
}: {
    readonly data: RunData;
    readonly route: Route;
    readonly shown: number;
}): JSX.Element {
    const { filters } = route;
    const choice = (
        filter: string,
        label: string,
        any: string,
        options: readonly (readonly [string, string])[],
    ) => <ChoiceFilter route={route} filter={filter} label={label} any={any} options={options} />;
    return (
        <FilterBar route={route}>
            <SearchBox route={route} label={say('searchSamples')} />
            {choice(
                'group',
                say('group'),
                say('anyGroup'),
                data.header.groups.map((group) => [group, group]),
            )}
            {choice(
                'verdict',
                say('verdict'),
                say('anyVerdict'),
                listOutcomes(data).map((one) => [one, nameOutcome(one)]),
            )}
            {choice('lang', say('language'), say('anyLanguage'), listChoices(data, 'language'))}
            {choice('model', say('model'), say('anyModel'), listChoices(data, 'model'))}
            {choice('cause', say('cause'), say('anyCause'), listChoices(data, 'cause'))}
            <SwitchFilter route={route} filter="unexpected" label={say('onlyUnexpected')} />
            <SwitchFilter route={route} filter="near" label={say('onlyNearLimit')} />
            {filters['sample'] !== undefined && <span class="chip">{formatLabel(filters['sample'])}</span>}
            {filters['expected'] !== undefined && (
                <span class="chip">
                    {say('expected')}: {nameExpected(filters['expected'])}
                </span>
            )}
            <span class="faint">
                {say('tasksShown', { shown: showCount(shown), count: showCount(data.count) })}
            </span>
        </FilterBar>
    );
}

/** Columns for a list of tasks: those for which the run has values. */
export function buildTaskColumns(data: RunData, route: Route): readonly TableColumn<number>[] {
    const href = (entry: number): string =>
        buildRoute(route.view, {
            ...route.filters,
            task: nameTask(data.getSample(entry), data.getGroup(entry), data.value('index', entry)),
        });
    const all: (TableColumn<number> | false)[] = [
        {
            key: 'sample',
            title: say('sample'),
            width: 'minmax(10rem, 2fr)',
            value: (entry) => data.getSample(entry),
            cell: (entry) => <a href={href(entry)}>{formatLabel(data.getSample(entry))}</a>,
        },
        {
            key: 'group',
            title: say('group'),
            width: '9.5rem',
            value: (entry) => data.getGroup(entry),
            cell: (entry) => formatLabel(data.getGroup(entry)),
        },
        number('index', say('index'), '4.5rem', (entry) => data.value('index', entry), String),
        data.has('name') &&
            text('name', say('name'), 'minmax(8rem, 2fr)', (entry) => data.text('name', entry)),
        data.has('language') &&
            text('language', say('language'), '6.5rem', (entry) => data.text('language', entry)),
        data.has('model') &&
            text('model', say('model'), 'minmax(7rem, 1fr)', (entry) => data.text('model', entry)),
        {
            key: 'verdict',
            title: say('verdict'),
            width: '11.5rem',
            value: (entry) => data.getOutcome(entry),
            cell: (entry) => <OutcomeMark data={data} entry={entry} />,
        },
        data.has('score') &&
            number(
                'score',
                say('score'),
                '5rem',
                (entry) => data.getScore(entry),
                (value) => showNumber(value, 3),
            ),
        text('cause', say('cause'), 'minmax(7rem, 1.5fr)', (entry) => data.text('cause', entry)),
        number('time', say('time'), '5.5rem', (entry) => data.value('time', entry), showSeconds),
        data.has('limit') &&
            number('limit', say('limit'), '5.5rem', (entry) => data.value('limit', entry), showSeconds),
        data.has('memory') &&
            number('memory', say('memory'), '5.5rem', (entry) => data.value('memory', entry), showBytes),
        number('attempts', say('attempts'), '5.5rem', (entry) => data.value('attempts', entry), showCount),
        data.has('cost') &&
            number('cost', say('cost'), '5.5rem', (entry) => data.value('cost', entry), showCost),
        data.has('promptTokens') &&
            number(
                'tokens',
                say('tokens'),
                '9rem',
                (entry) => data.value('promptTokens', entry) + data.value('completionTokens', entry),
                showCount,
            ),
    ];
    return all.filter((column) => column !== false);
}

function number(
    key: string,
    title: string,
    width: string,
    value: (entry: number) => number,
    show: (value: number) => string,
): TableColumn<number> {
    return {
        key,
        title,
        width,
        align: 'right',
        first: 'descending',
        value,
        cell: (entry) => (Number.isNaN(value(entry)) ? '' : show(value(entry))),
    };
}

function text(
    key: string,
    title: string,
    width: string,
    value: (entry: number) => string,
): TableColumn<number> {
    return { key, title, width, value, cell: (entry) => formatLabel(value(entry)) };
}

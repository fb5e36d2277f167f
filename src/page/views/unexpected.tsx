import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { FLAG_UNEXPECTED, type TaskOutcome } from '../../model/page-data.js';
import type { RunData } from '../data/run-data.js';
import { showCount } from '../language/figures.js';
import { say } from '../language/text.js';
import { chooseCellKind, nameOutcome } from '../parts/outcome.js';
import { formatLabel } from '../parts/shown-text.js';
import { type TableColumn, VirtualTable } from '../parts/virtual-table.js';
import { buildRoute, nameTask } from '../route.js';
import type { ViewProps } from './view-props.js';

/** Tasks that share a group, a verdict and a cause. */
interface CauseGroup {
    readonly group: string;
    readonly outcome: TaskOutcome;
    readonly cause: string;
    readonly example: number;
    count: number;
    readonly samples: Set<number>;
    readonly languages: Map<string, number>;
}

/** Verdicts that the dataset does not expect, and failures, by cause. */
export function UnexpectedView({ data, route }: ViewProps): JSX.Element {
    const rows = useMemo(() => groupByCause(data), [data]);
    const columns = useMemo(() => columnsFor(data), [data]);
    return (
        <VirtualTable
            name="unexpected"
            label={say('unexpected')}
            route={route}
            columns={columns}
            rows={rows}
            order="-count"
            empty={say('nothingUnexpected')}
        />
    );
}

function groupByCause(data: RunData): readonly CauseGroup[] {
    const groups = new Map<string, CauseGroup>();
    for (let entry = 0; entry < data.count; entry += 1) {
        const outcome = data.getOutcome(entry);
        if (!data.hasFlag(entry, FLAG_UNEXPECTED) && outcome !== 'failed') continue;
        const key = `${data.value('group', entry)} ${outcome} ${data.value('cause', entry)}`;
        let group = groups.get(key);
        if (group === undefined) {
            const named = { group: data.getGroup(entry), outcome, cause: data.text('cause', entry) };
            group = { ...named, example: entry, count: 0, samples: new Set(), languages: new Map() };
            groups.set(key, group);
        }
        group.count += 1;
        group.samples.add(data.value('sample', entry));
        const language = data.text('language', entry);
        if (language !== '') group.languages.set(language, (group.languages.get(language) ?? 0) + 1);
    }
    return [...groups.values()];
}

function columnsFor(data: RunData): readonly TableColumn<CauseGroup>[] {
    const languages = ({ languages: all }: CauseGroup): string =>
        [...all]
            .sort(([, a], [, b]) => b - a)
            .map(([language, count]) => `${language} ${showCount(count)}`)
            .join(', ');
    return [
        {
            key: 'count',
            title: say('tasks'),
            width: '7rem',
            align: 'right',
            first: 'descending',
            value: ({ count }) => count,
            cell: ({ count, group, outcome, cause }) => (
                <a
                    href={buildRoute('tasks', {
                        group,
                        verdict: outcome,
                        cause: cause === '' ? '-' : cause,
                        unexpected: outcome === 'failed' ? '' : '1',
                    })}
                    aria-label={`${say('tasksOfCause')}: ${showCount(count)}`}
                >
                    {showCount(count)}
                </a>
            ),
        },
        {
            key: 'group',
            title: say('group'),
            width: '10rem',
            value: ({ group }) => group,
            cell: ({ group }) => formatLabel(group),
        },
        {
            key: 'verdict',
            title: say('verdict'),
            width: '12rem',
            value: ({ outcome }) => outcome,
            cell: ({ outcome, example }) => (
                <span class={`mark ${chooseCellKind(data, example)}`}>{nameOutcome(outcome)}</span>
            ),
        },
        {
            key: 'cause',
            title: say('cause'),
            width: 'minmax(10rem, 2fr)',
            value: ({ cause }) => cause,
            cell: ({ cause }) => formatLabel(cause),
        },
        {
            key: 'samples',
            title: say('samples'),
            width: '6rem',
            align: 'right',
            first: 'descending',
            value: ({ samples }) => samples.size,
            cell: ({ samples }) => showCount(samples.size),
        },
        {
            key: 'languages',
            title: say('languages'),
            width: 'minmax(8rem, 1.3fr)',
            value: languages,
            cell: (row) => formatLabel(languages(row)),
        },
        {
            key: 'example',
            title: say('examples'),
            width: 'minmax(10rem, 1fr)',
            value: ({ example }) => data.getSample(example),
            cell: ({ example }) => (
                <a
                    href={buildRoute('unexpected', {
                        task: nameTask(
                            data.getSample(example),
                            data.getGroup(example),
                            data.value('index', example),
                        ),
                    })}
                >
                    {formatLabel(data.getSample(example))} {data.value('index', example)}
                </a>
            ),
        },
    ];
}

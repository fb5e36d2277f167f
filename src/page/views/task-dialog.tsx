import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { DetailAnswer } from '../data/detail-source.js';
import { showBytes, showCost, showCount, showNumber, showSeconds } from '../language/figures.js';
import { say } from '../language/text.js';
import { OutcomeMark } from '../parts/outcome.js';
import { formatLabel } from '../parts/shown-text.js';
import { TextBlock } from '../parts/source-code.js';
import { changeFilters, parseTaskName, nameTask } from '../route.js';
import { TaskDetail } from './task-detail.js';
import { nameExpected } from './verdicts.js';
import type { ViewProps } from './view-props.js';

/** One task, in a dialog over the view that it was opened from. The address names it. */
export function TaskDialog({ data, route, source, shown }: ViewProps): JSX.Element | null {
    const asked = parseTaskName(route.filters['task']);
    const entry = asked === null ? -1 : data.find(asked.sample, asked.group, asked.index);
    const dialog = useRef<HTMLDialogElement>(null);
    useEffect(() => {
        const element = dialog.current;
        if (element !== null && !element.open) element.showModal();
        const body = element?.querySelector<HTMLElement>('.dialog-body');
        body?.scrollTo(0, 0);
        body?.focus();
    }, [entry]);
    if (entry < 0) return null;
    // Neighbours come from the list that the task was opened from, otherwise from its sample.
    const list = shown.current;
    const at = list.indexOf(entry);
    const previous = at < 0 ? entry - 1 : (list[at - 1] ?? -1);
    const next = at < 0 ? entry + 1 : (list[at + 1] ?? data.count);
    const open = (other: number): void => {
        if (other < 0 || other >= data.count) return;
        changeFilters(
            route,
            { task: nameTask(data.getSample(other), data.getGroup(other), data.value('index', other)) },
            true,
        );
    };
    const onKey = (event: KeyboardEvent): void => {
        if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
        // In scrollable text the arrow keys scroll.
        if (event.target instanceof Element && event.target.closest('pre, .scroll-x') !== null) return;
        if (event.key === 'ArrowLeft') open(previous);
        if (event.key === 'ArrowRight') open(next);
    };
    const title = `${formatLabel(data.getSample(entry))}, ${formatLabel(data.getGroup(entry))} ${data.value('index', entry)}`;
    return (
        <dialog
            ref={dialog}
            aria-label={title}
            class="task-dialog"
            onKeyDown={onKey}
            onClose={() => changeFilters(route, { task: '' })}
            onClick={(event) => {
                if (event.target === dialog.current) dialog.current?.close();
            }}
        >
            <header class="dialog-head">
                <h2>{title}</h2>
                <OutcomeMark data={data} entry={entry} />
                <span class="dialog-buttons">
                    <button
                        type="button"
                        class="quiet"
                        disabled={previous < 0}
                        title="←"
                        aria-keyshortcuts="ArrowLeft"
                        onClick={() => open(previous)}
                    >
                        {say('previous')}
                    </button>
                    <button
                        type="button"
                        class="quiet"
                        disabled={next >= data.count}
                        title="→"
                        aria-keyshortcuts="ArrowRight"
                        onClick={() => open(next)}
                    >
                        {say('next')}
                    </button>
                    <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
                        {say('close')}
                    </button>
                </span>
            </header>
            <div class="dialog-body" tabIndex={0} role="group" aria-label={title}>
                <Facts data={data} entry={entry} />
                <Detail key={entry} data={data} entry={entry} source={source} />
            </div>
        </dialog>
    );
}

function Facts({ data, entry }: { readonly data: ViewProps['data']; readonly entry: number }): JSX.Element {
    const expected = data.text('expected', entry);
    const score = data.getScore(entry);
    const tokens = data.value('promptTokens', entry) + data.value('completionTokens', entry);
    const facts: readonly (readonly [string, ComponentChildren])[] = [
        [say('expected'), expected === '' ? '' : nameExpected(expected)],
        [say('cause'), formatLabel(data.text('cause', entry))],
        [say('score'), Number.isNaN(score) ? '' : showNumber(score, 3)],
        [say('name'), formatLabel(data.text('name', entry))],
        [say('language'), formatLabel(data.text('language', entry))],
        [say('model'), formatLabel(data.text('model', entry))],
        [say('promptType'), formatLabel(data.text('promptType', entry))],
        [say('difficulty'), formatLabel(data.text('difficulty', entry))],
        [say('taskType'), formatLabel(data.text('taskType', entry))],
        [say('time'), showSeconds(data.value('time', entry))],
        [say('limit'), showSeconds(data.value('limit', entry))],
        [say('memory'), showBytes(data.value('memory', entry))],
        [say('duration'), showSeconds(data.value('duration', entry))],
        [
            say('tokens'),
            tokens === 0
                ? ''
                : `${showCount(data.value('promptTokens', entry))} + ${showCount(data.value('completionTokens', entry))}`,
        ],
        [say('cost'), showCost(data.value('cost', entry))],
        [say('endpoint'), formatLabel(data.text('endpoint', entry))],
    ];
    return (
        <dl class="facts">
            {facts
                .filter(([, value]) => value !== '')
                .map(([label, value]) => (
                    <div key={label}>
                        <dt>{label}</dt>
                        <dd>{value}</dd>
                    </div>
                ))}
        </dl>
    );
}

function Detail({
    data,
    entry,
    source,
}: Pick<ViewProps, 'data' | 'source'> & { readonly entry: number }): JSX.Element {
    const [answer, setAnswer] = useState<DetailAnswer | null>(null);
    useEffect(() => {
        let isCurrent = true;
        const load = async (): Promise<void> => {
            const next = await source
                .detail(data, entry)
                .catch((error: unknown): DetailAnswer => ({ kind: 'problem', message: String(error) }));
            if (isCurrent) setAnswer(next);
        };
        void load();
        return () => {
            isCurrent = false;
        };
    }, [data, entry, source]);
    const command = showCommand(
        data.header.dir,
        data.getSample(entry),
        data.getGroup(entry),
        data.value('index', entry),
    );
    if (answer === null) return <p class="faint">{say('loading')}</p>;
    switch (answer.kind) {
        case 'detail':
            return (
                <TaskDetail
                    detail={answer.detail}
                    language={data.text('language', entry)}
                    command={source.isFile ? command : null}
                />
            );
        case 'left-out':
            return (
                <p class="note">
                    {say('leftOutEntry', { budget: showBytes(data.header.leftOut?.budget ?? 0), command })}
                </p>
            );
        case 'none':
            return <p class="note">{say('noDetail')}</p>;
        case 'problem':
            return <TextBlock title={say('message')} text={{ text: answer.message }} />;
    }
}

/** The shell command that shows a task. */
export function showCommand(dir: string, sample: string, group: string, index: number): string {
    const quoted = (text: string): string =>
        /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
    return formatLabel(`resume-run show ${quoted(sample)} ${quoted(group)} ${index} --dir ${quoted(dir)}`);
}

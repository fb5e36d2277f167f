import type { EndpointState, PlanCounts, RunEnd, RunEvent, WorkerFigures } from '../../model/event.js';
import type { StopReason } from '../../model/stop.js';
import { LIST_BOUND } from '../../model/tally-sum.js';
import type { Verdict } from '../../model/verdict.js';
import { RoundFigures } from '../rounds.js';
import { Durations } from './durations.js';
import { RateWindow } from './rate-window.js';

/**
 * What a run looks like from outside, in figures: what every display shows. Its size depends on the numbers of workers and
 * endpoints and on what runs at once, never on how many samples or tasks there are.
 */
export interface RunView {
    readonly start: Extract<RunEvent, { type: 'run-started' }> | null;
    readonly phase: Phase;
    /** Milliseconds since the epoch; 0 before the start. */
    readonly startedAt: number;
    readonly concurrency: number;
    readonly samples: { readonly total: number; readonly complete: number; readonly running: number };
    readonly tasks: TaskFigures;
    /** Committed by this run. */
    readonly verdicts: Readonly<Partial<Record<Verdict, number>>>;
    readonly unexpected: number;
    readonly nearLimit: number;
    /** Tasks that run now, the one that began first in front. */
    readonly running: Map<string, RunningTask>;
    readonly workers: Map<string, WorkerFigures>;
    /** Those that were heard of: what became of the others is not known yet, so they count as up. */
    readonly endpoints: Map<string, EndpointState>;
    /** All that were given. */
    readonly givenEndpoints: number;
    readonly warnings: number;
    readonly window: RateWindow;
    /** Of attempts that ended a task. */
    readonly durations: Durations;
    readonly rounds: RoundFigures;
    readonly end: RunEnd | null;
}

export interface RunningTask {
    readonly sample: string;
    readonly group: string;
    readonly index: number;
    /** Since when, milliseconds since the epoch. */
    readonly since: number;
}

type Phase =
    | { readonly kind: 'starting' | 'running' | 'finished' }
    | { readonly kind: 'paused'; readonly message: string }
    | { readonly kind: 'stopping'; readonly stop: StopReason; readonly grace: number; readonly at: number };

interface TaskFigures {
    /** Of the chosen part, those finished by earlier runs included. */
    readonly total: number;
    readonly finishedBefore: number;
    /** To be run by this run, finished ones that run again included. */
    readonly due: number;
    readonly committed: number;
    readonly failed: number;
    readonly retried: number;
    readonly running: number;
    readonly skipped: number;
}

export function makeEmptyView(): RunView {
    return {
        start: null,
        phase: { kind: 'starting' },
        startedAt: 0,
        concurrency: 0,
        samples: { total: 0, complete: 0, running: 0 },
        tasks: {
            total: 0,
            finishedBefore: 0,
            due: 0,
            committed: 0,
            failed: 0,
            retried: 0,
            running: 0,
            skipped: 0,
        },
        verdicts: {},
        unexpected: 0,
        nearLimit: 0,
        running: new Map(),
        workers: new Map(),
        endpoints: new Map(),
        givenEndpoints: 0,
        warnings: 0,
        window: new RateWindow(),
        durations: new Durations(),
        rounds: new RoundFigures(),
        end: null,
    };
}

/**
 * The view after an event. No clock and no I/O: the same events give the same view. The view handed in is used up: its maps and
 * its window are carried over, not copied, because thousands of events a second pass here.
 */
export function fold(view: RunView, event: RunEvent): RunView {
    switch (event.type) {
        case 'run-started':
            return { ...foldStarted(view, event, event.part), givenEndpoints: event.endpoints ?? 0 };
        case 'notice':
            return event.level === 'warning' ? { ...view, warnings: view.warnings + 1 } : view;
        case 'sample-started':
            return { ...view, samples: { ...view.samples, running: view.samples.running + 1 } };
        case 'task-started':
            noteBegun(view, event);
            return withTasks(view, { running: view.tasks.running + 1 });
        case 'task-log':
            return view;
        case 'task-retried':
            view.running.delete(makeKey(event));
            noteWorked(view, event.workerId, event.by.duration, true);
            return withTasks(view, {
                running: Math.max(0, view.tasks.running - 1),
                retried: view.tasks.retried + 1,
            });
        case 'task-finished':
            return foldFinished(view, event);
        case 'task-failed':
            view.running.delete(makeKey(event));
            noteWorked(view, event.workerId, event.by.duration, true);
            view.window.add(Date.parse(event.at));
            view.durations.add(event.by.duration);
            view.rounds.add(event);
            return withTasks(view, {
                running: Math.max(0, view.tasks.running - 1),
                failed: view.tasks.failed + 1,
            });
        case 'sample-finished':
            return foldSampleFinished(view, event.tally.isComplete);
        case 'concurrency-changed':
            return { ...view, concurrency: event.concurrency };
        case 'paused':
            return { ...view, phase: { kind: 'paused', message: event.message } };
        case 'resumed':
            return { ...view, phase: { kind: 'running' } };
        case 'endpoint-changed':
            setBounded(view.endpoints, event.endpoint.endpoint, event.endpoint);
            return view;
        case 'stopping': {
            const { stop, grace } = event;
            return { ...view, phase: { kind: 'stopping', stop, grace, at: Date.parse(event.at) } };
        }
        case 'run-finished':
            return { ...view, phase: { kind: 'finished' }, end: event.end };
    }
}

function foldStarted(
    view: RunView,
    start: Extract<RunEvent, { type: 'run-started' }>,
    part: PlanCounts,
): RunView {
    const at = Date.parse(start.at);
    view.window.start(at);
    return {
        ...view,
        start,
        phase: { kind: 'running' },
        startedAt: at,
        concurrency: start.concurrency,
        samples: { total: part.samples, complete: part.completeSamples, running: 0 },
        tasks: {
            ...view.tasks,
            total: part.tasks,
            finishedBefore: part.finished,
            due: part.due,
            skipped: part.skipped,
        },
    };
}

function foldFinished(view: RunView, event: Extract<RunEvent, { type: 'task-finished' }>): RunView {
    view.running.delete(makeKey(event));
    noteWorked(view, event.workerId, event.by.duration, false);
    view.window.add(Date.parse(event.at));
    view.durations.add(event.by.duration);
    view.rounds.add(event);
    return {
        ...withTasks(view, {
            running: Math.max(0, view.tasks.running - 1),
            committed: view.tasks.committed + 1,
        }),
        verdicts: { ...view.verdicts, [event.verdict]: (view.verdicts[event.verdict] ?? 0) + 1 },
        unexpected: view.unexpected + (event.unexpected ? 1 : 0),
        nearLimit: view.nearLimit + (event.nearLimit ? 1 : 0),
    };
}

function noteBegun(view: RunView, event: Extract<RunEvent, { type: 'task-started' }>): void {
    const { sample, group, index } = event;
    setBounded(view.running, makeKey(event), { sample, group, index, since: Date.parse(event.at) });
}

function makeKey({ sample, group, index }: Pick<RunningTask, 'sample' | 'group' | 'index'>): string {
    return `${index} ${group} ${sample}`;
}

function foldSampleFinished(view: RunView, isComplete: boolean): RunView {
    const { total, complete, running } = view.samples;
    return {
        ...view,
        samples: {
            total,
            complete: Math.min(total, complete + (isComplete ? 1 : 0)),
            running: Math.max(0, running - 1),
        },
    };
}

function withTasks(view: RunView, change: Partial<TaskFigures>): RunView {
    return { ...view, tasks: { ...view.tasks, ...change } };
}

function noteWorked(view: RunView, workerId: string, seconds: number, failed: boolean): void {
    const before = view.workers.get(workerId);
    setBounded(view.workers, workerId, {
        workerId,
        attempts: (before?.attempts ?? 0) + 1,
        failures: (before?.failures ?? 0) + (failed ? 1 : 0),
        busy: (before?.busy ?? 0) + seconds,
    });
}

/** Worker ids and endpoints come from outside: were there ever very many, the first ones are shown. */
function setBounded<V>(map: Map<string, V>, key: string, value: V): void {
    if (map.size < LIST_BOUND || map.has(key)) map.set(key, value);
}

/** The task that has run longest so far; null while none runs. */
export function findLongestRunning(view: RunView): RunningTask | null {
    return view.running.values().next().value ?? null;
}

/** Tasks of this run that have neither a verdict nor a failure yet. */
export function countRemaining(view: RunView): number {
    return Math.max(0, view.tasks.due - view.tasks.committed - view.tasks.failed);
}

/** Tasks of the chosen part that need no more work: finished ones that run again count once they have. */
export function countDone(view: RunView): number {
    return Math.max(0, view.tasks.total - view.tasks.due + view.tasks.committed);
}

/** Finished tasks a second lately. @param now milliseconds since the epoch */
export function computeCurrentRate(view: RunView, now: number): number {
    return view.window.rate(now);
}

/**
 * Seconds until all is done: at the present rate, and not before the longest running task is; null while there is no rate to
 * tell by.
 */
export function estimateEta(view: RunView, now: number): number | null {
    const perSecond = computeCurrentRate(view, now);
    if (perSecond <= 0) return null;
    const longest = findLongestRunning(view);
    const tail = longest === null ? 0 : view.durations.expectRest(Math.max(0, now - longest.since) / 1000);
    return Math.max(countRemaining(view) / perSecond, tail);
}

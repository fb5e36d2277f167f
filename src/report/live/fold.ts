import type {
    EndpointState,
    PlanCounts,
    RunEnd,
    RunEvent,
    TaskEvent,
    WorkerFigures,
} from '../../model/event.js';
import type { StopReason } from '../../model/stop.js';
import { LIST_BOUND } from '../../model/tally-sum.js';
import type { Verdict } from '../../model/verdict.js';
import { unreachable } from '../../util/unreachable.js';
import type { Writable } from '../../util/writable.js';
import { RoundFigures } from '../rounds.js';
import { Durations } from './durations.js';
import { RateWindow } from './rate-window.js';

/**
 * The state of a run in figures, as every display shows it. Its size depends on the number of workers, endpoints and concurrent
 * tasks, never on the number of samples or tasks.
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
    /** Running tasks, the longest running first. */
    readonly running: Map<string, RunningTask>;
    readonly workers: Map<string, WorkerFigures>;
    /** Endpoints that events have mentioned. The state of the others is unknown, so they count as up. */
    readonly endpoints: Map<string, EndpointState>;
    /** Number of endpoints given to the run. */
    readonly givenEndpoints: number;
    readonly warnings: number;
    readonly window: RateWindow;
    /** Durations of attempts that ended a task. */
    readonly durations: Durations;
    readonly rounds: RoundFigures;
    readonly end: RunEnd | null;
}

export interface RunningTask {
    readonly sample: string;
    readonly group: string;
    readonly index: number;
    /** Start time in milliseconds since the epoch. */
    readonly since: number;
}

type Phase =
    | { readonly kind: 'starting' | 'running' | 'finished' }
    | { readonly kind: 'paused'; readonly message: string }
    | { readonly kind: 'stopping'; readonly stop: StopReason; readonly grace: number; readonly at: number };

interface TaskFigures {
    /** In the chosen part, including those finished by earlier runs. */
    readonly total: number;
    readonly finishedBefore: number;
    /** To be run by this run, including finished ones that run again. */
    readonly due: number;
    readonly committed: number;
    readonly failed: number;
    readonly retried: number;
    readonly running: number;
    /** Ended, and not on disk yet. */
    readonly saving: number;
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
            saving: 0,
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

/** A view while events are folded into it; displays only read it. */
type Changing = Writable<Omit<RunView, 'samples' | 'tasks' | 'verdicts'>> & {
    readonly samples: Writable<RunView['samples']>;
    readonly tasks: Writable<TaskFigures>;
    readonly verdicts: Writable<RunView['verdicts']>;
};
/**
 * Updates the view with an event. Uses no clock and no I/O: the same events give the same view. The view is modified in place,
 * because thousands of events arrive per second.
 */
export function fold(view: RunView, event: RunEvent): void {
    const into: Changing = view;
    switch (event.type) {
        case 'run-started':
            foldStarted(into, event, event.part);
            return;
        case 'notice':
            if (event.level === 'warning') into.warnings += 1;
            return;
        case 'sample-started':
            into.samples.running += 1;
            return;
        case 'task-started':
            noteBegun(into, event);
            into.tasks.running += 1;
            return;
        case 'task-log':
            return;
        case 'task-retried':
            noteEnded(into, event, true);
            into.tasks.retried += 1;
            return;
        case 'task-saving':
            noteStopped(into, event);
            into.tasks.saving += 1;
            return;
        case 'task-finished':
            noteEnded(into, event, false);
            noteSettled(into, event);
            into.tasks.committed += 1;
            into.verdicts[event.verdict] = (into.verdicts[event.verdict] ?? 0) + 1;
            if (event.unexpected) into.unexpected += 1;
            if (event.nearLimit) into.nearLimit += 1;
            return;
        case 'task-failed':
            noteEnded(into, event, true);
            noteSettled(into, event);
            into.tasks.failed += 1;
            return;
        case 'sample-finished':
            foldSampleFinished(into, event.tally.isComplete);
            return;
        case 'concurrency-changed':
            into.concurrency = event.concurrency;
            return;
        case 'paused':
            into.phase = { kind: 'paused', message: event.message };
            return;
        case 'resumed':
            into.phase = { kind: 'running' };
            return;
        case 'endpoint-changed':
            noteEndpoint(into, event.endpoint);
            return;
        case 'stopping': {
            const { stop, grace } = event;
            into.phase = { kind: 'stopping', stop, grace, at: Date.parse(event.at) };
            return;
        }
        case 'run-finished':
            into.phase = { kind: 'finished' };
            into.end = event.end;
            return;
        default:
            unreachable(event);
    }
}

function foldStarted(
    view: Changing,
    start: Extract<RunEvent, { type: 'run-started' }>,
    part: PlanCounts,
): void {
    const at = Date.parse(start.at);
    view.window.start(at);
    view.start = start;
    view.phase = { kind: 'running' };
    view.startedAt = at;
    view.concurrency = start.concurrency;
    view.givenEndpoints = start.endpoints ?? 0;
    view.samples.total = part.samples;
    view.samples.complete = part.completeSamples;
    view.samples.running = 0;
    view.tasks.total = part.tasks;
    view.tasks.finishedBefore = part.finished;
    view.tasks.due = part.due;
    view.tasks.skipped = part.skipped;
}

function noteBegun(view: RunView, event: Extract<RunEvent, { type: 'task-started' }>): void {
    const { sample, group, index } = event;
    setBounded(view.running, makeKey(event), { sample, group, index, since: Date.parse(event.at) });
}

/** Records the end of an attempt, whatever its outcome. */
function noteEnded(view: Changing, event: AttemptEnd, failed: boolean): void {
    if (event.type !== 'task-retried' && view.tasks.saving > 0) view.tasks.saving -= 1;
    else noteStopped(view, event);
    noteWorked(view, event.workerId, event.by.duration, failed);
}

function noteStopped(view: Changing, event: TaskEvent): void {
    view.running.delete(makeKey(event));
    view.tasks.running = Math.max(0, view.tasks.running - 1);
}

type AttemptEnd = Extract<RunEvent, { type: 'task-retried' | 'task-finished' | 'task-failed' }>;

/** Records that a task needs no more attempts. */
function noteSettled(view: RunView, event: Exclude<AttemptEnd, { type: 'task-retried' }>): void {
    view.window.add(Date.parse(event.at));
    view.durations.add(event.by.duration);
    view.rounds.add(event);
}

function makeKey({ sample, group, index }: Pick<RunningTask, 'sample' | 'group' | 'index'>): string {
    return `${index} ${group} ${sample}`;
}

function foldSampleFinished({ samples }: Changing, isComplete: boolean): void {
    if (isComplete) samples.complete = Math.min(samples.total, samples.complete + 1);
    samples.running = Math.max(0, samples.running - 1);
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

/** Before the first request names a model, an endpoint is known by its address alone; from then on as `<address> (<model>)`. */
function noteEndpoint({ endpoints }: Changing, state: EndpointState): void {
    const name = state.endpoint;
    if (!endpoints.has(name))
        for (const other of endpoints.keys()) if (name.startsWith(`${other} (`)) endpoints.delete(other);
    setBounded(endpoints, name, state);
}

/** Worker ids and endpoints come from outside; if there are very many, only the first ones are kept. */
function setBounded<V>(map: Map<string, V>, key: string, value: V): void {
    if (map.size < LIST_BOUND || map.has(key)) map.set(key, value);
}

/** The longest running task; null if none is running. */
export function findLongestRunning(view: RunView): RunningTask | null {
    return view.running.values().next().value ?? null;
}

/** Tasks of this run that have neither a verdict nor a failure yet. */
export function countRemaining(view: RunView): number {
    return Math.max(0, view.tasks.due - view.tasks.committed - view.tasks.failed);
}

/** Tasks of the chosen part that need no more work; finished ones that run again count once they have run. */
export function countDone(view: RunView): number {
    return Math.max(0, view.tasks.total - view.tasks.due + view.tasks.committed);
}

/** Recent rate of finished tasks, per second. @param now milliseconds since the epoch */
export function computeCurrentRate(view: RunView, now: number): number {
    return view.window.rate(now);
}

/**
 * Seconds until all tasks are done, at the current rate and no sooner than the longest running task; null while there is no rate.
 */
export function estimateEta(view: RunView, now: number): number | null {
    const perSecond = computeCurrentRate(view, now);
    if (perSecond <= 0) return null;
    const longest = findLongestRunning(view);
    const tail = longest === null ? 0 : view.durations.expectRest(Math.max(0, now - longest.since) / 1000);
    return Math.max(countRemaining(view) / perSecond, tail);
}

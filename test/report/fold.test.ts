import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/model/event.js';
import {
    computeCurrentRate,
    countDone,
    makeEmptyView,
    estimateEta,
    fold,
    findLongestRunning,
    type RunView,
    countRemaining,
} from '../../src/report/live/fold.js';
import { Durations } from '../../src/report/live/durations.js';
import { renderHeartbeat, renderLiveLines } from '../../src/report/live/live.js';
import { RateWindow } from '../../src/report/live/rate-window.js';
import { PLAIN } from '../../src/report/style.js';
import { startOf, taskEvents } from './fixtures.js';

const START = Date.parse('2026-11-21T09:00:00.000Z');

function play(events: Iterable<RunEvent>): RunView {
    const view = makeEmptyView();
    for (const event of events) fold(view, event);
    return view;
}

describe('folding events', () => {
    test('a task whose result is on its way to the disk no longer runs, and does not count yet', () => {
        const [begun, finished] = taskEvents(0, 0, 2, 'Accepted');
        const [second] = taskEvents(1, 0, 2, 'Accepted');
        if (begun?.type !== 'task-started' || finished === undefined || second === undefined)
            throw new Error('no event');
        const saving: RunEvent = { ...begun, type: 'task-saving' };
        const view = play([startOf(2, 0, 1), begun, second, saving]);
        expect(view.tasks).toMatchObject({ committed: 0, running: 1, saving: 1 });
        const around = { now: START, width: Number.POSITIVE_INFINITY, style: PLAIN, memory: 1e6, load: null };
        expect([...view.running.values()]).toMatchObject([{ index: 1 }]);
        expect(renderHeartbeat(view, around)).toContain('1 running · 1 being saved');
        fold(view, finished);
        expect(view.tasks).toMatchObject({ committed: 1, running: 1, saving: 0 });
        expect([...view.running.values()]).toMatchObject([{ index: 1 }]);
    });

    test('an endpoint that is named with its model later counts once', () => {
        const at = new Date(START).toISOString();
        const figures = { inFlight: 0, done: 0, failures: 0, meanTime: null, coolDowns: 0, concurrency: 1 };
        const names = ['http://a/v1', 'http://b/v1', 'http://a/v1 (m)', 'http://a/v1 (n)'];
        const view = play([
            startOf(1, 0, 1),
            ...names.map(
                (endpoint): RunEvent => ({
                    type: 'endpoint-changed',
                    at,
                    endpoint: { endpoint, state: 'healthy', ...figures },
                }),
            ),
        ]);
        expect([...view.endpoints.keys()]).toEqual(names.slice(1));
    });

    test('counts tasks, verdicts and workers', () => {
        const [begun] = taskEvents(2, 3, 1, 'Accepted');
        if (begun === undefined) throw new Error('no event');
        const view = play([
            startOf(10, 4, 2),
            ...taskEvents(0, 0, 2, 'Accepted'),
            ...taskEvents(8, 1, 2, 'WrongAnswer'),
            begun,
        ]);
        expect(view.tasks).toMatchObject({ total: 10, finishedBefore: 4, due: 6, committed: 2, running: 1 });
        expect(view.verdicts).toEqual({ Accepted: 1, WrongAnswer: 1 });
        expect(view.unexpected).toBe(1);
        expect(view.workers.get('thread-0')).toEqual({
            workerId: 'thread-0',
            attempts: 2,
            failures: 0,
            busy: 4,
        });
        expect(countRemaining(view)).toBe(4);
        expect(countDone(view)).toBe(6);
    });

    test('finished tasks that run again are done once they have', () => {
        const plain = startOf(10, 10, 4);
        if (plain.type !== 'run-started') throw new Error('no start');
        const begun = { ...plain, part: { ...plain.part, due: 4 } };
        expect(countDone(play([begun]))).toBe(6);
        expect(countDone(play([begun, ...taskEvents(0, 0, 1, 'Accepted')]))).toBe(7);
    });

    test('knows what has run longest, and names it in a line once it takes a minute', () => {
        const events = [0, 1, 2].map(
            (index) => taskEvents(index, index, 10, 'Accepted') as [RunEvent, RunEvent],
        );
        const begun = events.map(([first]) => first);
        const view = play([startOf(3, 0, 1), ...begun]);
        expect(findLongestRunning(view)).toMatchObject({
            sample: 'hello',
            group: 'solution',
            index: 0,
            since: START,
        });
        const around = { width: Number.POSITIVE_INFINITY, style: PLAIN, memory: 1e6, load: null };
        expect(renderHeartbeat(view, { ...around, now: START + 59_000 })).not.toContain('longest');
        expect(renderHeartbeat(view, { ...around, now: START + 125_000 })).toMatch(
            / · longest 2m 05s: hello solution 0$/,
        );
        const later = play([startOf(3, 0, 1), ...begun, events[0]?.[1] as RunEvent]);
        expect(findLongestRunning(later)).toMatchObject({ index: 1 });
        expect(findLongestRunning(play([startOf(3, 0, 1), ...events.flat()]))).toBeNull();
    });

    test('the live display tells the rounds over topics', () => {
        const inRounds = [0, 0, 1].flatMap((index, at) =>
            [...taskEvents(index, at, 1, 'Accepted')].map((event) =>
                'group' in event ? { ...event, group: 'iteration' } : event,
            ),
        );
        const around = { width: 80, style: PLAIN, memory: 1e6, load: null, now: START + 9000 };
        const view = play([startOf(4, 0, 1), ...inRounds]);
        expect(renderLiveLines(view, around)).toContain('round 1: 2 done · round 2: 1 done');
        expect(renderHeartbeat(view, around)).toContain('round 1: 2 done · round 2: 1 done');
    });

    test('retries and failures are not verdicts', () => {
        const [begun] = taskEvents(0, 0, 1, 'Accepted');
        if (begun?.type !== 'task-started') throw new Error('no event');
        const failure = { reason: 'worker-died', message: 'gone' } as const;
        const by = {
            attempt: 1,
            failure: 'worker-died',
            started_at: begun.at,
            duration: 5,
            api_used: 'local',
            worker_id: 'thread-0',
        } as const;
        const view = play([
            startOf(1, 0, 1),
            begun,
            { ...begun, type: 'task-retried', because: { failure }, by },
            begun,
            { ...begun, type: 'task-failed', failure, by },
        ]);
        expect(view.tasks).toMatchObject({ committed: 0, failed: 1, retried: 1, running: 0 });
        expect(view.verdicts).toEqual({});
        expect(view.workers.get('thread-0')).toMatchObject({ attempts: 2, failures: 2, busy: 10 });
        expect(countRemaining(view)).toBe(0);
    });

    test('phases', () => {
        const stop = { reason: 'signal', signal: 'SIGINT' } as const;
        const at = new Date(START).toISOString();
        expect(play([]).phase.kind).toBe('starting');
        expect(
            play([startOf(1, 0, 1), { type: 'paused', at, message: 'no endpoint answers' }]).phase,
        ).toEqual({
            kind: 'paused',
            message: 'no endpoint answers',
        });
        expect(
            play([startOf(1, 0, 1), { type: 'stopping', at, stop, signal: 'SIGINT', running: 3, grace: 10 }])
                .phase,
        ).toMatchObject({ kind: 'stopping', grace: 10 });
    });

    test('its size does not grow with the run', () => {
        const size = (view: RunView) => JSON.stringify({ ...view, workers: [...view.workers] }).length;
        const run = function* (tasks: number): Generator<RunEvent> {
            yield startOf(tasks, 0, tasks);
            for (let i = 0; i < tasks; i += 1) yield* taskEvents(i, i, 1, 'Accepted');
        };
        expect(size(play(run(20_000)))).toBeLessThan(size(play(run(100))) + 100);
    });
});

describe('rate', () => {
    test('is that of the last five minutes', () => {
        const window = new RateWindow();
        window.start(START);
        // One per second for ten minutes, then ten per second for six.
        for (let s = 0; s < 600; s += 1) window.add(START + s * 1000);
        expect(window.rate(START + 600_000)).toBeCloseTo(1, 1);
        for (let s = 0; s < 3600; s += 1) window.add(START + 600_000 + s * 100);
        expect(window.rate(START + 960_000)).toBeCloseTo(10, 0);
    });

    test('is that of the whole run where tasks are slow', () => {
        const window = new RateWindow();
        window.start(START);
        for (let i = 1; i <= 8; i += 1) window.add(START + i * 1_000_000);
        expect(window.rate(START + 8_000_000)).toBeCloseTo(0.001, 5);
    });

    test('decays when nothing comes any more, and survives a clock set back', () => {
        const window = new RateWindow();
        window.start(START);
        for (let i = 0; i < 100; i += 1) window.add(START + i * 100);
        const before = window.rate(START + 10_000);
        expect(before).toBeCloseTo(10, 0);
        window.add(START - 3_600_000);
        expect(window.rate(START + 10_000)).toBeGreaterThan(before / 2);
        expect(window.rate(START + 3_600_000)).toBeLessThan(0.1);
        expect(Number.isFinite(window.rate(START - 1e9))).toBe(true);
    });

    test('ends no sooner than the longest running task', () => {
        const durations = new Durations();
        for (let i = 0; i < 99; i += 1) durations.add(1);
        durations.add(600);
        // Only one task took longer than ten seconds: 600 s.
        expect(durations.expectRest(10)).toBe(590);
        expect(durations.expectRest(0)).toBeCloseTo(6.99);
        // None took that long, so expect as long again.
        expect(durations.expectRest(1000)).toBe(1000);
        const finished = Array.from({ length: 100 }, (_, i) => taskEvents(i + 1, i, 1, 'Accepted')).flat();
        const [begun] = taskEvents(0, 0, 1, 'Accepted');
        const view = play([startOf(102, 0, 1), begun as RunEvent, ...finished]);
        // One task waits, at one per second, but the other has run for 100 s, far longer than any before.
        expect(estimateEta(view, START + 100_000)).toBeCloseTo(100, 0);
    });

    test('gives the ETA', () => {
        const events = Array.from({ length: 100 }, (_, i) => taskEvents(i, i, 0, 'Accepted')).flat();
        const view = play([startOf(1100, 0, 1), ...events]);
        expect(computeCurrentRate(view, START + 100_000)).toBeCloseTo(1, 1);
        expect(estimateEta(view, START + 100_000)).toBeCloseTo(1000, -1);
        expect(estimateEta(play([startOf(5, 0, 1)]), START + 1000)).toBeNull();
    });
});

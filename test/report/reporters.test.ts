import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunEvent } from '../../src/model/event.js';
import { openReporter } from '../../src/report/live/open-reporter.js';
import { Kept, drawn } from './screen.js';
import { totalOf, endOf, startOf, taskEvents } from './fixtures.js';

const AT = '2026-11-21T09:00:00.000Z';
const START = startOf(200_000, 8201, 20_000);
const END: RunEvent = { type: 'run-finished', at: AT, end: endOf(totalOf([])) };
const notice = (message: string, level: 'info' | 'warning' = 'info'): RunEvent => ({
    type: 'notice',
    at: AT,
    level,
    message,
});

function streams(isTTY: boolean, columns = 80) {
    return {
        json: false,
        quiet: false,
        stdout: new Kept(isTTY, columns),
        stderr: new Kept(isTTY, columns),
        env: {},
    };
}

beforeEach(() => {
    vi.useFakeTimers({ now: Date.parse(AT) });
});
afterEach(() => {
    vi.useRealTimers();
});

describe('bars', () => {
    test('four lines, drawn again in place', async () => {
        const options = streams(true);
        const reporter = await openReporter(options);
        reporter.onEvent(START);
        for (let i = 0; i < 50; i += 1) {
            for (const event of taskEvents(i, 0, 0, 'Accepted')) reporter.onEvent(event);
            vi.advanceTimersByTime(100);
        }
        const lines = drawn(options.stderr.text, 80);
        expect(lines.slice(0, 2)).toEqual([
            'results: 20,000 samples, 200,000 tasks: 8,201 finished, 191,799 to run',
            'judge, 8 thread workers, sandbox bwrap',
        ]);
        expect(lines).toHaveLength(6);
        expect(lines[2]).toMatch(/^samples {2}━─+ {6}820\/20,000 {4}4.1 %$/);
        expect(lines[3]).toMatch(/^tasks {4}━─+ {4}8,251\/200,000 {3}4.1 %$/);
        expect(lines[4]).toBe('this start: AC 50');
        expect(lines[5]).toMatch(/^10\.\d\/s · ETA 5h \d\dm · 0 running · [\d.]+ [MG]B/);
        expect(options.stdout.text).toBe('');
        reporter.close();
    });

    test('notices stay above them, and closing leaves only those', async () => {
        const options = streams(true);
        const reporter = await openReporter(options);
        reporter.onEvent(notice('before the start'));
        reporter.onEvent(START);
        vi.advanceTimersByTime(300);
        reporter.onEvent(notice(`a very long ${'long '.repeat(30)}notice`));
        vi.advanceTimersByTime(300);
        reporter.onEvent(notice('one', 'warning'));
        reporter.onEvent(notice('two \u001b[2J'));
        vi.advanceTimersByTime(300);
        reporter.onEvent(notice('last'));
        reporter.onEvent(END);
        reporter.close();
        const lines = drawn(options.stderr.text, 80);
        expect(lines[0]).toBe('before the start');
        expect(lines.slice(3, 6).join('')).toContain('a very long long');
        expect(lines.slice(-4)).toEqual(['warning: one', 'two \\x1b[2J', 'last', '']);
        expect(lines.join('\n')).not.toContain('tasks   ');
    });

    test('ten frames a second at most, each in one write', async () => {
        const options = streams(true);
        const write = vi.spyOn(options.stderr, 'write');
        const reporter = await openReporter(options);
        reporter.onEvent(START);
        const before = write.mock.calls.length;
        for (let i = 0; i < 1000; i += 1) {
            for (const event of taskEvents(i, 0, 0, 'Accepted')) reporter.onEvent(event);
            vi.advanceTimersByTime(2);
        }
        expect(write.mock.calls.length - before).toBeLessThanOrEqual(21);
        reporter.close();
    });

    test('colour never makes a line too long, and NO_COLOR is obeyed', async () => {
        for (const columns of [20, 40, 80, 200]) {
            const options = streams(true, columns);
            const reporter = await openReporter(options);
            reporter.onEvent(START);
            vi.advanceTimersByTime(200);
            expect(
                drawn(options.stderr.text.slice(options.stderr.text.indexOf('bwrap')), columns).length,
            ).toBeLessThan(6);
            expect(options.stderr.text.includes('\u001b[32m')).toBe(columns >= 80);
            reporter.close();
        }
        const options = { ...streams(true), env: { NO_COLOR: '1' } };
        const reporter = await openReporter(options);
        reporter.onEvent(START);
        vi.advanceTimersByTime(200);
        expect(options.stderr.text).not.toContain('\u001b[32m');
        reporter.close();
    });
});

test('servers: all of a few, the troubled ones of many', async () => {
    const options = streams(true);
    const reporter = await openReporter(options);
    reporter.onEvent(START);
    const change = (n: number, state: 'healthy' | 'cooling', failures: number): void =>
        reporter.onEvent({
            type: 'endpoint-changed',
            at: AT,
            endpoint: {
                endpoint: `http://10.0.0.${n}:8080/`,
                state,
                inFlight: 3,
                done: 20,
                failures,
                meanTime: 1.25,
                coolDowns: failures,
                concurrency: 4,
            },
        });
    change(1, 'healthy', 0);
    change(2, 'cooling', 2);
    vi.advanceTimersByTime(200);
    expect(drawn(options.stderr.text, 80).slice(-3)).toEqual([
        '1/2 endpoints up · 6 in flight · 2 failures on them',
        '  http://10.0.0.1:8080/ healthy · 3/4 in flight · 20 done · mean 1.3 s',
        '  http://10.0.0.2:8080/ cooling · 3/4 in flight · 20 done · 2 failures',
    ]);
    for (let n = 3; n <= 64; n += 1) change(n, 'healthy', 0);
    vi.advanceTimersByTime(200);
    expect(drawn(options.stderr.text, 80).slice(-3)).toEqual([
        '63/64 endpoints up · 192 in flight · 2 failures on them',
        '  http://10.0.0.2:8080/ cooling · 3/4 in flight · 20 done · 2 failures',
        '',
    ]);
    reporter.close();
    expect(drawn(options.stderr.text, 80)).toHaveLength(3);
});

test('servers that were not heard of count among all that were given', async () => {
    const options = streams(true);
    const reporter = await openReporter(options);
    if (START.type !== 'run-started') throw new Error('no start');
    reporter.onEvent({ ...START, endpoints: 4 });
    const endpoint = { endpoint: 'http://10.0.0.1:8080/', state: 'down', inFlight: 0, done: 0 } as const;
    const figures = { failures: 1, meanTime: null, coolDowns: 1, concurrency: 1 };
    reporter.onEvent({ type: 'endpoint-changed', at: AT, endpoint: { ...endpoint, ...figures } });
    vi.advanceTimersByTime(200);
    expect(drawn(options.stderr.text, 80).join('\n')).toContain('3/4 endpoints up');
    reporter.close();
});

describe('without a terminal', () => {
    test('a line after 5 s, then one every 30 s', async () => {
        const options = streams(false);
        const reporter = await openReporter(options);
        reporter.onEvent(START);
        for (const event of taskEvents(0, 0, 0, 'WrongAnswer')) reporter.onEvent(event);
        const count = () => options.stderr.text.split('\n').length - 1;
        expect(count()).toBe(2);
        vi.advanceTimersByTime(5000);
        expect(count()).toBe(3);
        vi.advanceTimersByTime(60_000);
        expect(count()).toBe(5);
        expect(options.stderr.text).toMatch(
            /^2026-11-21T09:00:05Z tasks 8,202\/200,000 \(4\.1 %\) · samples 820\/20,000 · this start: WA 1 · 1 unexpected · /m,
        );
        reporter.onEvent(notice('mind this', 'warning'));
        expect(options.stderr.text).toMatch(/warning: mind this\n$/);
        reporter.onEvent(END);
        const after = options.stderr.text;
        vi.advanceTimersByTime(60_000);
        expect(options.stderr.text).toBe(after);
    });

    test('stopping and pauses are said at once', async () => {
        const options = streams(false);
        const reporter = await openReporter(options);
        reporter.onEvent(START);
        reporter.onEvent({ type: 'paused', at: AT, message: 'no endpoint answers' });
        reporter.onEvent({ type: 'resumed', at: AT, message: 'back' });
        reporter.onEvent({
            type: 'stopping',
            at: AT,
            stop: { reason: 'signal', signal: 'SIGTERM' },
            signal: 'SIGTERM',
            running: 8,
            grace: 10,
        });
        expect(options.stderr.text).toContain('paused: no endpoint answers');
        expect(options.stderr.text).toContain('stopping: 0 running, up to 10 s more');
        reporter.close();
    });
});

test.each([
    { quiet: false, lines: 3 },
    { quiet: true, lines: 1 },
])('a service that has the run pause every second does not fill the log (quiet: $quiet)', async (how) => {
    const options = { ...streams(false), quiet: how.quiet };
    const reporter = await openReporter(options);
    reporter.onEvent(START);
    const before = options.stderr.text.length;
    for (let second = 0; second < 15; second += 1) {
        reporter.onEvent({ type: 'paused', at: AT, message: 'asked to wait' });
        reporter.onEvent({ type: 'resumed', at: AT, message: 'back' });
        vi.advanceTimersByTime(1000);
    }
    // At once, after ten seconds, and the heartbeat of the fifth.
    const told = options.stderr.text.slice(before).trimEnd().split('\n');
    expect(told).toHaveLength(how.lines);
    expect(told[0]).toContain('paused: asked to wait');
    reporter.close();
    const after = options.stderr.text;
    vi.advanceTimersByTime(60_000);
    expect(options.stderr.text).toBe(after);
});

test('--json prints events and nothing else on stdout', async () => {
    const options = { ...streams(false), json: true };
    const reporter = await openReporter(options);
    const events = [START, notice('mind', 'warning'), ...taskEvents(0, 0, 1, 'Accepted'), END];
    for (const event of events) reporter.onEvent(event);
    reporter.close();
    const lines = options.stdout.text.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(events);
    expect(options.stderr.text).toBe('warning: mind\n');
});

test('--quiet prints warnings only', async () => {
    const options = { ...streams(true), quiet: true };
    const reporter = await openReporter(options);
    for (const event of [START, notice('chatter'), notice('mind', 'warning'), END]) reporter.onEvent(event);
    vi.advanceTimersByTime(60_000);
    expect(drawn(options.stderr.text, 80)).toEqual(['warning: mind', '']);
    expect(options.stdout.text).toBe('');
});

test.each([true, false])('a reader that went away stops nothing (terminal: %s)', async (isTTY) => {
    const options = { ...streams(isTTY) };
    const reporter = await openReporter(options);
    reporter.onEvent(START);
    options.stderr.break();
    const before = options.stderr.text;
    reporter.onEvent(notice('unheard'));
    vi.advanceTimersByTime(60_000);
    reporter.onEvent(END);
    reporter.close();
    expect(options.stderr.text).toBe(before);
});

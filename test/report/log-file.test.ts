import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LogFile, type LogLevel } from '../../src/report/live/log-file.js';
import { RotatingFile } from '../../src/report/live/rotating-file.js';
import { startOf, taskEvents } from './fixtures.js';

let dir = '';
const problems: string[] = [];
beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'log-'));
    problems.length = 0;
});
afterEach(() => rmSync(dir, { recursive: true }));

function open(level: LogLevel, bound?: number): LogFile {
    return new LogFile({
        path: join(dir, 'run.log'),
        level,
        ...(bound === undefined ? {} : { bound }),
        onProblem: (message) => problems.push(message),
    });
}

const lines = (name = 'run.log'): Record<string, unknown>[] =>
    readFileSync(join(dir, name), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);

test('events stand in it as JSON lines, by level', () => {
    const log = open('info');
    log.onEvent(startOf(10, 0, 1));
    for (const event of taskEvents(0, 0, 1, 'Accepted')) log.onEvent(event);
    log.debug('chatter');
    log.close();
    expect(lines()).toMatchObject([{ level: 30, type: 'run-started', dir: 'results' }]);

    const more = open('debug');
    for (const event of taskEvents(0, 0, 1, 'Accepted')) more.onEvent(event);
    more.debug('chatter');
    more.close();
    expect(lines().slice(1)).toMatchObject([
        { type: 'task-started' },
        { type: 'task-finished' },
        { msg: 'chatter' },
    ]);
});

test('no key stands twice in a line, the level of a notice neither', () => {
    const log = open('info');
    log.onEvent({
        type: 'notice',
        at: '2026-11-30T12:00:00.000Z',
        level: 'warning',
        message: 'mind the gap',
    });
    log.close();
    const text = readFileSync(join(dir, 'run.log'), 'utf8');
    expect(text.match(/"level":/g)).toHaveLength(1);
    expect(lines()).toMatchObject([{ level: 40, type: 'notice', message: 'mind the gap' }]);
});

test('no secrets stand in it', () => {
    const log = open('debug');
    log.debug('GET https://user:hunter2@host/ with Authorization: Bearer abcdefgh12345678');
    log.debug('api_key=abcdefgh12345678');
    log.close();
    const text = readFileSync(join(dir, 'run.log'), 'utf8');
    expect(text).not.toMatch(/hunter2|abcdefgh/);
    expect(lines()).toHaveLength(2);
});

test('it is bounded: the older half is kept as .1', () => {
    const log = open('debug', 100_000);
    for (let i = 0; i < 5000; i += 1) log.debug(`line ${i}`);
    log.close();
    expect(statSync(join(dir, 'run.log')).size).toBeLessThanOrEqual(100_000);
    expect(statSync(join(dir, 'run.log.1')).size).toBeLessThanOrEqual(100_000);
    expect(existsSync(join(dir, 'run.log.2'))).toBe(false);
    expect(lines().at(-1)).toMatchObject({ msg: 'line 4999' });
    const numbers = [...lines('run.log.1'), ...lines()].map(({ msg }) => Number(String(msg).slice(5)));
    expect(numbers).toEqual(numbers.map((_, i) => (numbers[0] ?? 0) + i));
});

test('a file that cannot be opened is the mistake of the user', () => {
    expect(
        () => new LogFile({ path: join(dir, 'no', 'run.log'), level: 'info', onProblem: () => undefined }),
    ).toThrow(/^--log-file .*run\.log cannot be opened: its folder does not exist$/);
});

test('a full disk is said once and stops nothing', () => {
    const errors: unknown[] = [];
    const file = new RotatingFile('/dev/full', 1000, (error) => errors.push(error));
    for (let i = 0; i < 3; i += 1) {
        file.write('text\n');
        file.flush();
    }
    file.close();
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ code: 'ENOSPC' });
});

test('a device is written to and never renamed', () => {
    const device = join(dir, 'device');
    symlinkSync('/dev/null', device);
    const file = new RotatingFile(device, 10, (error) => problems.push(String(error)));
    for (let i = 0; i < 3; i++) {
        file.write('more than ten bytes\n');
        file.flush();
    }
    file.close();
    expect(problems).toEqual([]);
    expect(existsSync(`${device}.1`)).toBe(false);
});

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { WaitingMeter } from '../../src/compose/waiting-meter.js';
import type { RunEvent } from '../../src/model/event.js';
import { runCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

/** Requests the main process. Row 1 must not be retried, row 2 soon. */
const MODULE = `
export const mode = 'async';
export default async function ({ input }, { attempt, log }) {
    log('row ' + input.n);
    if (input.n === 1) throw Object.assign(new Error('gone'), { retry: false });
    if (input.n === 2 && attempt === 1) throw Object.assign(new Error('busy'), { retryAfter: 0.01 });
    return { attempt };
}
`;

it('a module says where it runs, and its errors whether and when they are tried again; its log is kept', async () => {
    const cwd = tempDir();
    writeFileSync(join(cwd, 'm.mjs'), MODULE);
    writeFileSync(join(cwd, 'l.jsonl'), '{"n":1}\n{"n":2}\n{"n":3}\n');
    const args = ['l.jsonl', '--executor', 'module', '--module', './m.mjs', '--json'];
    // The configured delay is a minute, so a short wait can only come from the error's own `retryAfter`.
    const paced = ['--retry-delay', '60', '--max-retry-delay', '60', '--log-file', 'log.jsonl'];
    const { code, stdout, stderr } = await runCli([...args, ...paced], { cwd });
    expect(code, stderr).toBe(1);
    const events = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    const ofType = (type: string) => events.filter((event) => event.type === type);
    expect(ofType('run-started')).toMatchObject([{ mode: 'async' }]);
    expect(ofType('task-failed')).toMatchObject([
        { attempt: 1, workerId: 'async-1', failure: { message: 'gone', retry: false } },
    ]);
    expect(ofType('task-retried')).toMatchObject([{ because: { failure: { retryAfter: 0.01 } } }]);
    expect(new Set(ofType('task-finished').map(({ attempt }) => attempt))).toEqual(new Set([1, 2]));
    const logged: string[] = ofType('task-log').map(({ message }) => message);
    expect(logged.toSorted((a, b) => a.localeCompare(b))).toEqual(['row 1', 'row 2', 'row 2', 'row 3']);
    expect(readFileSync(join(cwd, 'log.jsonl'), 'utf8').match(/"message":"row \d"/g)).toHaveLength(4);

    // An explicit --mode takes precedence.
    const again = await callCli([...args, '--dir', 'again', '--retries', '0', '--mode', 'thread'], { cwd });
    expect(again.stdout).toContain('"mode":"thread"');
    writeFileSync(join(cwd, 'm.mjs'), MODULE.replace("'async'", "'asink'"));
    const wrong = await callCli([...args.slice(0, -1), '--dir', 'wrong'], { cwd });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(
        /m\.mjs: expected its export mode to be thread, process or async, got "asink"/,
    );
});

it('tells once that workers mostly wait, when they have worked long enough to know', () => {
    const finished = { type: 'task-finished', by: { duration: 6 } } as RunEvent;
    const said = (cpu: number): (string | null)[] => {
        const meter = new WaitingMeter(() => cpu);
        return Array.from({ length: 8 }, () => meter.onEvent(finished));
    };
    expect(said(1.2).map((hint) => hint !== null)).toEqual([
        false,
        false,
        false,
        true,
        false,
        false,
        false,
        false,
    ]);
    expect(said(1.2)[3]).toMatch(/compute for 5\.0 % of their time.*--mode async/);
    expect(said(12).every((hint) => hint === null)).toBe(true);
});

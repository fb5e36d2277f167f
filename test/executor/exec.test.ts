import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ExecDescriptor } from '../../src/executor/exec-kind.js';
import { createExec } from '../../src/executor/exec.js';
import type { JudgeResult } from '../../src/model/entry.js';
import type { Json } from '../../src/model/json.js';
import type { Outcome, Task } from '../../src/model/task.js';
import { patience } from '../rig/slowness.js';

const folder = mkdtempSync(join(tmpdir(), 'exec-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DEFAULTS = {
    kind: 'exec',
    exitVerdicts: {},
    timeout: 10,
    keepOutput: 'all',
    outputLimit: 1024,
    scratch: folder,
    dir: join(folder, 'results'),
    holder: 'h000000000000',
} as const;

function taskOf(data: Json): Task {
    return {
        sample: 'a/b',
        group: 'instance',
        index: 7,
        fingerprint: 'v1-sha256-test',
        input: { kind: 'data', data },
        limits: null,
        stage: null,
        attempt: 1,
        confirmed: [],
        confirming: null,
        settles: true,
    };
}

async function run(
    argv: readonly [string, ...string[]],
    options: Partial<ExecDescriptor> = {},
    signal = new AbortController().signal,
): Promise<Outcome> {
    const exec = await createExec({ ...DEFAULTS, argv, ...options });
    try {
        return await exec.run(taskOf({ x: [1, 'ä'] }), { signal, log: () => {} });
    } finally {
        await exec.close();
    }
}

/** What a command printed; fails the test if it was not accepted. */
function printed(outcome: Outcome): string {
    if (outcome.kind !== 'verdict') throw new Error(`expected a verdict, got ${JSON.stringify(outcome)}`);
    return (outcome.result as JudgeResult).tests[0]?.exec_info.run_result?.stdout ?? '';
}

describe('exec', () => {
    it('accepts exit 0, and gives the data on stdin', async () => {
        const outcome = await run(['cat']);
        expect(outcome).toMatchObject({ kind: 'verdict', verdict: 'Accepted', suspect: null });
        expect(JSON.parse(printed(outcome))).toEqual({ x: [1, 'ä'] });
    });

    it('fills in the template, without a shell', async () => {
        expect(printed(await run(['echo', '{id} {group} {index}', '$HOME;', '{other}']))).toBe(
            'a/b instance 7 $HOME; {other}\n',
        );
    });

    it('writes the data to a file where {input} asks for it, and removes the file', async () => {
        const outcome = await run(['sh', '-c', 'echo "$1"; cat "$1"; cat', 'sh', '{input}']);
        const [path = '', text = ''] = printed(outcome).split('\n');
        expect(JSON.parse(text)).toEqual({ x: [1, 'ä'] });
        expect(existsSync(path)).toBe(false);
    });

    it('keeps the first bytes of a large output, and counts the rest', async () => {
        const outcome = await run(['sh', '-c', 'yes | head -c 3000000']);
        expect(outcome).toMatchObject({
            result: { tests: [{ exec_info: { run_result: { stdout_cut: 3_000_000 } } }] },
        });
        expect(printed(outcome)).toBe('y\n'.repeat(512));
    });

    it('measures the command', async () => {
        const outcome = await run(['sh', '-c', 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done']);
        const test = outcome.kind === 'verdict' ? (outcome.result as JudgeResult).tests[0] : undefined;
        expect(test?.cpu_time).toBeGreaterThan(0.01);
        expect(test?.memory).toBeGreaterThan(500_000);
    });

    it('says which exit codes are verdicts', async () => {
        const outcome = await run(['sh', '-c', 'exit 3'], { exitVerdicts: { 3: 'WrongAnswer' } });
        expect(outcome).toMatchObject({
            kind: 'verdict',
            verdict: 'WrongAnswer',
            result: { accepted: false },
        });
    });

    it.each([
        [
            ['sh', '-c', 'echo no >&2; exit 3'],
            { reason: 'exit-code', exitCode: 3, message: /exited with 3: no$/ },
        ],
        [['sh', '-c', 'kill -TERM $$'], { reason: 'killed', signal: 'SIGTERM' }],
        [['no-such-command-anywhere'], { reason: 'not-started', message: /ENOENT/ }],
        [['/dev/null'], { reason: 'not-started', message: /EACCES/ }],
    ] as const)('calls %j a failure', async (argv, { message = /./, ...facts }: Record<string, unknown>) => {
        const outcome = await run([...(argv as readonly [string, ...string[]])]);
        expect(outcome).toMatchObject({ kind: 'failure', failure: facts });
        expect(outcome.kind === 'failure' && outcome.failure.message).toMatch(message as RegExp);
    });

    it('ends a command that takes too long, and its children', async () => {
        const outcome = await run(['sh', '-c', 'sleep 987.25 & sleep 987.25'], { timeout: 0.3 });
        expect(outcome).toMatchObject({ kind: 'failure', failure: { reason: 'no-answer', after: 0.3 } });
        expect(commandsRunning('987.25')).toEqual([]);
    });

    it('ends at once when the run is stopped', async () => {
        const controller = new AbortController();
        setTimeout(() => controller.abort(), 200);
        const started = Date.now();
        expect(await run(['sleep', '987.5'], {}, controller.signal)).toEqual({ kind: 'abort' });
        expect(Date.now() - started).toBeLessThan(patience(2500));
        expect(commandsRunning('987.5')).toEqual([]);
    });

    it('runs many at once through one helper, and closes with all of them gone', async () => {
        const exec = await createExec({ ...DEFAULTS, argv: ['sh', '-c', 'sleep 0.05'] });
        const context = { signal: new AbortController().signal, log: () => {} };
        const all = await Promise.all(Array.from({ length: 12 }, (_, i) => exec.run(taskOf(i), context)));
        expect(all.map((outcome) => outcome.kind === 'verdict' && outcome.verdict)).toEqual(
            Array.from({ length: 12 }, () => 'Accepted'),
        );
        expect(helpersOf(process.pid)).toHaveLength(1);
        await exec.close();
        expect(helpersOf(process.pid)).toEqual([]);
    });

    it('leaves nothing in the scratch folder', () => {
        expect(readdirSync(folder)).toEqual([]);
    });
});

/** Command lines of living processes that have this argument. */
function commandsRunning(argument: string): string[] {
    return readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .flatMap((pid) => {
            try {
                return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')];
            } catch {
                return [];
            }
        })
        .filter((args) => args.includes(argument))
        .map((args) => args.join(' '));
}

/** Helpers among the children of a process. */
function helpersOf(parent: number): string[] {
    const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ');
    return children.filter((pid) => {
        try {
            return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes('serve');
        } catch {
            return false;
        }
    });
}

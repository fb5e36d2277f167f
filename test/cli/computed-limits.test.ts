import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CliResult } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

/*
 * Packages without a time limit: where the limit comes from, how it is reported, and how it is measured again.
 */

let folder: string;
beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'computed-limits-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ADD = 'print(sum(map(int, input().split())))\n';
/** Uses this many seconds of CPU time before it answers. */
const slow = (seconds: number): string => `import time\nwhile time.process_time() < ${seconds}: pass\n${ADD}`;

async function writePackage(name: string, submissions: Readonly<Record<string, string>>): Promise<void> {
    const files = {
        'problem.yaml': 'name: Add\n',
        'data/secret/1.in': '1 2\n',
        'data/secret/1.ans': '3\n',
        ...submissions,
    };
    for (const [path, text] of Object.entries(files)) {
        const file = join(folder, name, path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, text);
    }
}

const judge = (name: string, ...args: readonly string[]): Promise<CliResult> =>
    callCli(
        [name, '--dir', `${name}-results`, '--mode', 'async', '-j', '1', '--sandbox', 'rlimit', ...args],
        {
            cwd: folder,
        },
    );

interface ResultFile {
    readonly computed_limits?: { readonly time: number; readonly load?: object; readonly cut?: object };
    readonly solution_result: readonly { readonly limits: object; readonly attempts: readonly object[] }[];
    readonly incorrect_solution_result: readonly {
        readonly limits: { readonly time: number };
        readonly attempts: readonly object[];
    }[];
}

const resultOf = async (name: string): Promise<ResultFile> =>
    JSON.parse(await readFile(join(folder, `${name}-results`, `${name}.json`), 'utf8')) as ResultFile;

describe('a package without a time limit', () => {
    it('says under which load its limit was computed, and computes it again when asked to', async () => {
        await writePackage('measured', {
            'submissions/accepted/add.py': ADD,
            'submissions/wrong_answer/zero.py': 'print(0)\n',
        });
        expect((await judge('measured')).code).toBe(0);
        const first = await resultOf('measured');
        expect(first.computed_limits).toMatchObject({
            time: 1,
            load: { average: expect.any(Number), processors: expect.any(Number) },
            computed_at: expect.stringMatching(/^\d{4}-/),
        });

        const again = await judge('measured', '--rerun', 'computed-limits');
        expect(again.code, again.stderr).toBe(0);
        const second = await resultOf('measured');
        expect(second.solution_result[0]?.attempts).not.toEqual(first.solution_result[0]?.attempts);
        expect(second.incorrect_solution_result).toEqual(first.incorrect_solution_result);
        expect(second.computed_limits).not.toEqual(first.computed_limits);
        expect(second.computed_limits).toMatchObject({ time: 1 });

        const third = await judge('measured');
        expect(third.stdout).toContain('Nothing left to do');
        const report = await callCli(['report', '--dir', 'measured-results'], { cwd: folder });
        expect(report.stdout).toMatch(
            /measured +1\.0 s +slowest accepted run .*, load [\d.]+ on \d+ processor/,
        );
    });

    it('is judged under a longer one by --time-safety', async () => {
        await writePackage('safe', {
            'submissions/accepted/add.py': ADD,
            'submissions/wrong_answer/zero.py': 'print(0)\n',
        });
        await judge('safe', '--time-safety', '3');
        const result = await resultOf('safe');
        expect(result.computed_limits).toMatchObject({ time: 1 });
        expect(result.incorrect_solution_result[0]?.limits).toMatchObject({ time: 3 });
    });

    it('names --timeout where that stops a solution, and counts it once it is larger', async () => {
        await writePackage('cut', {
            'submissions/accepted/add.py': ADD,
            'submissions/accepted/slow.py': slow(0.9),
            'submissions/wrong_answer/zero.py': 'print(0)\n',
        });
        const first = await judge('cut', '--timeout', '0.3');
        expect(first.stderr).toContain(
            'cut: --timeout 0.3 stopped a solution that should be accepted, so its time limit (1 s) was computed without it; use a larger --timeout to include it',
        );
        expect((await resultOf('cut')).computed_limits).toMatchObject({ cut: { programs: 1, timeout: 0.3 } });
        expect(first.stdout).toContain(
            '1 solution that should be accepted was stopped by --timeout 0.3\n  The problem allows more time or sets no limit: a larger --timeout judges it again.',
        );
        const second = await judge('cut', '--timeout', '20');
        expect(second.stderr).not.toContain('stopped');
        expect(second.stdout).not.toContain('stopped');
        const { computed_limits: limits } = await resultOf('cut');
        expect(limits).not.toHaveProperty('cut');
        expect(limits?.time).toBeGreaterThanOrEqual(5);
    });
});

describe('a package with a time limit', () => {
    it('names the factor that lets solutions pass which are just too slow here', async () => {
        await writePackage('tight', {
            '.timelimit': '0.8\n',
            'submissions/accepted/slow.py': slow(0.9),
        });
        const run = await judge('tight', '--tle-retries', '0');
        expect(run.stdout).toMatch(
            /1 solution that should be accepted took \d+ % longer than the time limit of the problem\n.*--time-factor 1\.\d\d lets it pass/,
        );
        const [factor] = /--time-factor ([\d.]+)/.exec(run.stdout)?.slice(1) ?? [];
        const passed = await judge('tight', '--time-factor', String(Number(factor) + 0.3));
        expect(passed.stdout).not.toContain('longer than');
        expect(passed.stdout).toMatch(/TPR +100 %/);
    });
});

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

/*
 * A results directory of the earlier tools in the layouts that they used: a folder with a file for each task, or a file for each
 * sample with a checker's verdicts beside it. Matching results are imported, and the start reports the rest.
 */

const run = (more: object = {}): object => ({
    status: 'Finished',
    execution_time: 0.25,
    return_code: 0,
    stdout: 'x',
    stderr: '',
    ...more,
});
const test = (passed: boolean, result = run()): object => ({
    passed,
    exec_info: { status: passed ? 'Success' : 'Failed', compile_result: null, run_result: result },
    test_info: { input: { stdin: '1' }, output: { stdout: '1' } },
});

const right = 'print(input())\n';
const other = 'print(int(input()))\n';
const silent = 'import time; time.sleep(0.1)\n';

it('takes over folders and checker files of the earlier tools, and lists what it does not', async () => {
    const cwd = tempDir();
    const row = (id: string, ...sources: string[]): string =>
        `${JSON.stringify({
            id,
            tests: [{ input: '1\n', output: '1\n' }],
            solutions: sources.map((source) => ({ language: 'PYTHON3', source })),
            incorrect_solutions: [],
        })}\n`;
    writeFileSync(join(cwd, 'rows.jsonl'), row('a/1', right, other, silent) + row('b', right, other));
    const folder = join(cwd, 'res/a_1');
    mkdirSync(folder, { recursive: true });
    const write = (file: string, value: unknown): void =>
        writeFileSync(join(cwd, 'res', file), JSON.stringify(value));
    // A server strips the final newline from the code that it extracts.
    write('a_1/solution_0.json', {
        id: 'a/1',
        accepted: true,
        extracted_code: right.trim(),
        tests: [test(true)],
    });
    write('a_1/solution_1.json', {
        id: 'a/1',
        accepted: true,
        extracted_code: 'print(2)',
        tests: [test(true)],
    });
    const timedOut = run({
        status: 'TimeLimitExceeded',
        return_code: null,
        stdout: '',
        execution_time: 1000,
    });
    write('a_1/solution_2.json', {
        id: 'a/1',
        accepted: false,
        extracted_code: silent,
        tests: [test(false, timedOut), test(false)],
    });
    const entryOf = (source: string, accepted: boolean): object => ({
        language: 'PYTHON',
        solution: source,
        result: { accepted, tests: [test(false)] },
    });
    write('b.json', { id: 'b', solution_result: [entryOf(right, false), entryOf(other, false)] });
    write('b_checker.json', { id: 'b', solution_result: [entryOf(right, true)] });

    const start = (...args: string[]) =>
        callCli(['rows.jsonl', '--dir', 'res', '--sandbox', 'none', ...args], { cwd });
    // Notices come first, each as an event on its own line.
    const lines = (await start('--dry-run', '--json')).stdout.trimEnd().split('\n');
    const plan = JSON.parse(lines.at(-1) ?? '') as object;
    expect(plan).toMatchObject({
        part: { tasks: 5, finished: 4, due: 2, dueBy: { new: 1, 'time-out without output': 1 } },
        earlier: {
            samples: 2,
            taken: 4,
            checkerFiles: 1,
            changedVerdicts: 1,
            notImported: [{ file: 'a_1/solution_1.json', reason: 'no task of the dataset has this source' }],
        },
    });
    const { code, stdout, stderr } = await start();
    expect(code).toBe(0);
    expect(stderr + stdout).toContain('takes over 4 results of earlier tools, of 2 samples');
    expect(stderr + stdout).toContain(
        'verdicts in <id>_checker.json take precedence over those in <id>.json: 1 such files, 1 verdicts changed',
    );
    expect(stderr + stdout).toContain(
        '1 results of earlier tools are not imported, their tasks run: a_1/solution_1.json (no task',
    );
    interface Stored {
        readonly language: string;
        readonly solution: string;
        readonly result: { readonly verdict: string };
        readonly attempts: readonly unknown[];
    }
    const entries = (file: string): readonly (readonly [string, string, string, number])[] =>
        (
            JSON.parse(readFileSync(join(cwd, 'res', file), 'utf8')) as { solution_result: Stored[] }
        ).solution_result.map(({ language, solution, result, attempts }) => [
            language,
            solution,
            result.verdict,
            attempts.length,
        ]);
    expect(entries('a_1.json')).toEqual([
        ['PYTHON3', right, 'Accepted', 0],
        ['PYTHON3', other, 'Accepted', 1],
        ['PYTHON3', silent, 'WrongAnswer', 1],
    ]);
    expect(entries('b.json')).toEqual([
        ['PYTHON', right, 'Accepted', 0],
        ['PYTHON', other, 'WrongAnswer', 0],
    ]);
    const again = await start();
    expect(again.stdout).toContain('Nothing left to do');
    expect(again.stderr + again.stdout).not.toContain('earlier tools');
    const check = await callCli(['check', '--dir', 'res'], { cwd });
    expect([check.code, check.stdout]).toEqual([0, expect.stringContaining('info: b_checker.json: ')]);
    expect(check.stdout).toContain('info: a_1/: 3 results of an earlier tool');
    const status = await callCli(['status', '--dir', 'res'], { cwd });
    expect([status.stderr, status.stdout]).toEqual(['', expect.stringContaining('5 of 5 tasks finished')]);
});

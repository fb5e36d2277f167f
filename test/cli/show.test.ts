import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

const WRONG = "a = int(input())\nprint(a)\nprint('\\x1b[31mred')\n";

it('report and show tell why a verdict is what it is', async () => {
    const cwd = tempDir();
    const row = (id: string, wrong: string, output: string): string =>
        `${JSON.stringify({
            id,
            tests: [
                { input: '1\n', output: '1\n' },
                { input: '7\n', output },
            ],
            solutions: [{ language: 'PYTHON3', source: 'print(input())' }],
            incorrect_solutions: [{ language: 'PYTHON3', source: wrong }],
        })}\n`;
    writeFileSync(
        join(cwd, 'rows.jsonl'),
        row('weak/1', 'print(input())', '7\n') + row('fine', WRONG, '7\n'),
    );
    const run = (...args: string[]) => callCli([...args, '--dir', 'out'], { cwd });
    expect((await run('rows.jsonl', '--sandbox', 'none')).code).toBe(0);

    const report = await run('report', '--fail-under', 'tpr=100%,tnr=0.9', '--sort', 'tnr');
    expect([report.code, report.stderr]).toEqual([1, 'warning: --fail-under: tnr 0.5000 is under 0.9\n']);
    expect(report.stdout).toMatch(
        /Weak tests: 1 sample, lowest TNR first\n {2}weak\/1 +0 % +1 of 1 incorrect solutions accepted\n/,
    );
    expect(report.stdout).toMatch(
        /Unexpected: 1 verdict\n {2}weak\/1 +incorrect_solution 0 +Accepted +PYTHON3, \d/,
    );
    const below = await run('report', '--below', 'tnr=0.9', '--csv');
    expect([below.code, below.stdout.split('\r\n').map((line) => line.split(',')[0])]).toEqual([
        0,
        ['sample', 'weak/1', ''],
    ]);
    expect((await run('report', '--only', 'fi*', '--fail-under', 'tnr=0.9')).code).toBe(0);
    expect((await run('report', '--below', 'tnr=1.5')).stderr).toContain('bounds such as tpr=0.9');

    const show = await run('show', 'fine', 'incorrect_solution', '0');
    expect([show.code, show.stderr]).toEqual([0, '']);
    expect(show.stdout).toContain(
        'fine  incorrect_solution 0  WrongAnswer\nPYTHON3, limits 20 s, 2,048 MiB, output 64 MiB\n',
    );
    expect(show.stdout).toContain('Test 1 of 1 that ran (');
    expect(show.stdout).toContain(
        'First difference: line 2 of the expected output\n  expected  1\\n\n  got       1\\n\\x1b[31mred',
    );
    expect(show.stdout).toContain('Input\n  1\n\nExpected output\n  1\n');
    expect(show.stdout).toContain('Source\n  a = int(input())\n');
    const surprise = await run('show', 'weak/1', 'incorrect_solution', '0');
    expect(surprise.stdout).toContain('Accepted, expected any verdict but Accepted');
    // After an edit, the current tests are no longer those that the entry was judged by.
    writeFileSync(
        join(cwd, 'rows.jsonl'),
        row('weak/1', 'print(input())', '7\n') + row('fine', WRONG, '8\n'),
    );
    const edited = await run('show', 'fine', 'incorrect_solution', '0');
    expect(edited.stdout).toContain('are not shown: the dataset changed since');
    const none = await run('show', 'fine', 'solution', '9');
    expect([none.code, none.stderr]).toEqual([
        2,
        expect.stringContaining('"fine" has no result for solution 9 yet'),
    ]);
});

import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readResults, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

/*
 * What a dataset expects of a program is not part of its input: a label corrected after judging is updated without running
 * anything again.
 */

const python = (source: string, more: object) => ({ language: 'python3', source, ...more });

/** A problem with two programs labelled wrong: one prints something else, the other crashes. */
function writeProblem(cwd: string, labels: readonly (string | readonly string[] | undefined)[]): void {
    const sources = ['print(1)', 'raise SystemExit(1)'];
    const row = {
        id: 'p',
        tests: [{ input: '', output: '2\n' }],
        solutions: [python('print(2)', {})],
        incorrect_solutions: sources.map((source, i) =>
            python(source, labels[i] === undefined ? {} : { expected: labels[i] }),
        ),
    };
    writeFileSync(join(cwd, 'd.jsonl'), `${JSON.stringify(row)}\n`);
}

interface LabelledEntry {
    readonly index: number;
    readonly expected?: readonly string[];
    readonly revision?: number;
    readonly attempts: readonly object[];
}

const entriesIn = (cwd: string): readonly LabelledEntry[] =>
    [...readResults(join(cwd, 'results')).values()].flatMap(
        (sample) => sample['incorrect_solution_result'] as LabelledEntry[],
    );

const labelsIn = (cwd: string) => entriesIn(cwd).map(({ expected, revision }) => [expected, revision]);

const NOTICE = /the dataset's labels of (\d finished tasks?) changed/;

it('takes labels that were corrected after judging, judges nothing again, and its records follow', async () => {
    const cwd = tempDir();
    const run = (...more: string[]) => callCli(['d.jsonl', ...more], { cwd });
    const reported = async (): Promise<readonly unknown[]> => {
        const { stdout } = await callCli(['report', '--json'], { cwd });
        const { total } = JSON.parse(stdout) as {
            readonly total: { readonly unexpected: readonly unknown[] };
        };
        return total.unexpected;
    };
    writeProblem(cwd, ['TimeLimitExceeded', 'RuntimeError']);
    const first = await run('--collect');
    expect(first.code, first.stderr).toBe(0);
    expect(labelsIn(cwd)).toEqual([
        [['TimeLimitExceeded'], undefined],
        [['RuntimeError'], undefined],
    ]);
    expect(await reported()).toMatchObject([{ index: 0, verdict: 'WrongAnswer' }]);

    writeProblem(cwd, ['WrongAnswer', undefined]);
    const planned = await run('--dry-run');
    expect(planned.stderr).toMatch(NOTICE);
    expect(planned.stdout).toContain('0 of 3 tasks would run');
    expect(labelsIn(cwd)).toEqual([
        [['TimeLimitExceeded'], undefined],
        [['RuntimeError'], undefined],
    ]);
    // With the new labels nothing is unexpected.
    const again = await run('--collect', '--rerun', 'failed');
    expect(again.code, again.stderr).toBe(0);
    expect(NOTICE.exec(again.stderr)?.[1]).toBe('2 finished tasks');
    expect(again.stdout).toContain('Nothing left to do');
    expect(labelsIn(cwd)).toEqual([
        [['WrongAnswer'], 2],
        [undefined, 2],
    ]);
    expect(entriesIn(cwd).map(({ attempts }) => attempts.length)).toEqual([1, 1]);
    expect(await reported()).toEqual([]);
    const rows = await callCli(['export', '--database', 'database'], { cwd });
    const records = rows.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { group: string; index: number; expected: readonly string[] });
    expect(records).toHaveLength(3);
    const record = records.find(({ group, index }) => group === 'incorrect_solution' && index === 0);
    expect(record?.expected).toEqual(['WrongAnswer']);

    // Another start has nothing to write.
    const file = join(cwd, 'results', 'p.json');
    const before = statSync(file, { bigint: true }).mtimeNs;
    const last = await run();
    expect(last.stderr).not.toMatch(NOTICE);
    expect(statSync(file, { bigint: true }).mtimeNs).toBe(before);
});

it('takes them beside tasks that run', async () => {
    const cwd = tempDir();
    writeProblem(cwd, ['TimeLimitExceeded', 'RuntimeError']);
    expect((await callCli(['d.jsonl'], { cwd })).code).toBe(0);
    writeProblem(cwd, ['WrongAnswer', 'RuntimeError']);
    const run = await callCli(['d.jsonl', '--rerun', 'p'], { cwd });
    expect(run.code, run.stderr).toBe(0);
    expect(labelsIn(cwd)).toEqual([
        [['WrongAnswer'], expect.any(Number)],
        [['RuntimeError'], 2],
    ]);
    expect((await callCli(['report', '--fail-under', 'tnr=1'], { cwd })).code).toBe(0);
});

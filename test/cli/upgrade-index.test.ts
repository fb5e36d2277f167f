import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli, tempDir } from '../rig/cli.js';

interface Index {
    texts: string[];
    datasets: [string, { locators: { as: string[] } }][];
    results: { inodes: string[]; sizes: number[]; mtimes: string[]; planKeys: number[]; shapes: number[] };
}

/*
 * A directory as 0.1 left it: its only program was skipped, since nobody knew the name `GNU C++17`, and its index vouches for
 * the complete file. A start whose planner or readers decide otherwise must open that file all the same.
 */
it('runs what 0.1 skipped, though the index calls the sample complete', async () => {
    const cwd = tempDir();
    const row = {
        title: 'sum',
        time_limit: 2000,
        memory_limit: 256,
        test_cases: [{ input: '1\n', output: '1\n' }],
        correct_submissions: [{ code: 'print(input())', language: 'PyPy 3-64' }],
        incorrect_submissions: [],
    };
    writeFileSync(join(cwd, 'rows.jsonl'), `${JSON.stringify(row)}\n`);
    const start = (...args: string[]) => runCli(['rows.jsonl', '--dir', 'res', '-q', ...args], { cwd });
    const result = join(cwd, 'res/sum.json');
    const index = join(cwd, 'checkpoints/res/index.json');
    expect((await start()).code).toBe(0);

    const finished = JSON.parse(readFileSync(result, 'utf8')) as { progress: object };
    const skipped = {
        ...finished,
        solution_result: [],
        progress: { ...finished.progress, completed_solutions: 0, total_solutions: 0, is_complete: true },
        skipped: [{ group: 'solution', index: 0, reason: 'no toolchain for PYPY 3-64' }],
    };
    writeFileSync(result, JSON.stringify(skipped, null, 4));
    const { ino, size, mtimeNs } = statSync(result, { bigint: true });
    const known = JSON.parse(readFileSync(index, 'utf8')) as Index;
    const [, dataset] = known.datasets[0] ?? [];
    if (dataset === undefined) throw new Error('the index knows no dataset file');
    dataset.locators.as = ['code-contests-plus/1'];
    Object.assign(known.results, { inodes: [String(ino)], sizes: [Number(size)], mtimes: [String(mtimeNs)] });
    const planKey = known.results.planKeys[0] ?? -1;
    known.texts[planKey] = 'the key of 0.1';
    writeFileSync(index, JSON.stringify(known));

    expect((await start('--dry-run')).stdout).toContain('1 of 1 tasks would run');
    expect((await start()).code).toBe(0);
    expect(JSON.parse(readFileSync(result, 'utf8'))).toMatchObject({
        solution_result: [{ index: 0, language: 'PYTHON3', result: { accepted: true } }],
        progress: { completed_solutions: 1, total_solutions: 1, is_complete: true },
    });
});

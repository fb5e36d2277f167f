import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callCli } from '../../rig/in-process.js';

let folder: string;
beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'sample-tests-')));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function write(root: string, files: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
        const file = join(folder, root, path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, text);
    }
}

const ALONE = {
    'problem.yaml': 'name: Add\n',
    'data/sample/1.in': '1 2\n',
    'data/sample/1.ans': '3\n',
    'submissions/accepted/add.py': 'print(sum(map(int, input().split())))\n',
    'submissions/wrong_answer/three.py': 'print(3)\n',
    'submissions/wrong_answer/four.py': 'print(4)\n',
};
const WHOLE = { ...ALONE, 'data/secret/1.in': '2 2\n', 'data/secret/1.ans': '4\n' };

const run = (name: string, ...args: readonly string[]) =>
    callCli(
        [
            name,
            '--dir',
            `${name}-results`,
            '--mode',
            'async',
            '-j',
            '1',
            '--sandbox',
            'rlimit',
            '--timeout',
            '10',
            ...args,
        ],
        { cwd: folder },
    );
const flat = (text: string): string => text.replace(/\s+/g, ' ');

describe('--sample-tests', () => {
    it('judges packages with samples alone, and keeps them out of the rates of the others', async () => {
        await write('mixed/alone', ALONE);
        await write('mixed/whole', WHOLE);
        const without = await run('mixed');
        expect(flat(without.stdout)).toContain(
            'the package has samples but no secret tests (--sample-tests judges by the samples)',
        );
        expect(flat(without.stdout)).toContain('TNR 100 % 2 of 2 incorrect solutions rejected');
        const shown = await run('mixed', '--sample-tests');
        expect(shown.code).toBe(0);
        const report = await callCli(['report', '--dir', 'mixed-results'], { cwd: folder });
        const status = await callCli(['status', '--dir', 'mixed-results'], { cwd: folder });
        for (const { stdout } of [shown, report, status]) {
            const text = flat(stdout);
            expect(text).toContain('TPR 100 % 1 of 1 solutions accepted');
            expect(text).toContain('TNR 100 % 2 of 2 incorrect solutions rejected');
            expect(text).toContain('50.0 % 1 of 2 incorrect solutions on samples rejected');
            expect(text).toContain(
                '3 tasks judged by the sample tests alone (--sample-tests), not counted in any rate',
            );
        }
        // A wrong program that passes the samples is still reported as unexpected.
        expect(flat(report.stdout)).toMatch(/three\.py.*Accepted/);
        const json = await callCli(['report', '--dir', 'mixed-results', '--json'], { cwd: folder });
        expect(JSON.parse(json.stdout)).toMatchObject({
            total: { tpr: { hits: 1, judged: 1 }, tnr: { hits: 2, judged: 2 } },
        });
        const result: unknown = JSON.parse(await readFile(join(folder, 'mixed-results/alone.json'), 'utf8'));
        expect(result).toMatchObject({ solution_on_samples_result: [{ expected: ['Accepted'] }] });
        // The choice is stored, so the next start needs no option.
        expect((await run('mixed')).stdout).toContain('Nothing left to do');
    });

    it('judges by secret tests as soon as there are some', async () => {
        await write('grown', ALONE);
        await run('grown', '--sample-tests');
        await write('grown', WHOLE);
        const { stdout } = await run('grown', '--sample-tests');
        expect(flat(stdout)).toContain('TNR 100 % 2 of 2 incorrect solutions rejected');
        expect(stdout).not.toContain('by samples alone');
    });

    it('computes the limit of a package from its solutions, as ever', async () => {
        await write('limit', ALONE);
        await run('limit', '--sample-tests');
        const result: unknown = JSON.parse(await readFile(join(folder, 'limit-results/limit.json'), 'utf8'));
        expect(result).toMatchObject({ computed_limits: { time: 1 } });
    });

    it('does not stand in for tests that could not be made', async () => {
        await write('broken', {
            ...ALONE,
            'generators/generators.yaml': 'data: {secret: {data: {a: gen.py}}}',
            'generators/gen.py': 'raise SystemExit(1)\n',
        });
        await write('script', { ...ALONE, 'data/generator.sh': '#!/bin/sh\nexit 1\n' });
        for (const name of ['broken', 'script'])
            expect(flat((await run(name, '--sample-tests')).stdout)).toContain(
                '3 tasks skipped, none can run',
            );
    });
});

describe('samples that the settings of a package leave out', () => {
    it('are no reason to run a task again under --all-tests', async () => {
        await write('ignored', {
            ...WHOLE,
            'problem.yaml': 'name: Add\ntype: scoring\n',
            '.timelimit': '5\n',
            'data/testdata.yaml': 'grader_flags: ignore_sample\n',
            'data/sample/testdata.yaml': 'accept_score: 0\n',
            'data/secret/testdata.yaml': 'accept_score: 10\n',
            'submissions/wrong_answer/three.py': '# @EXPECTED_SCORE@: 0\nprint(3)\n',
        });
        await run('ignored', '--all-tests');
        await rm(join(folder, 'checkpoints/ignored-results/index.json'));
        expect((await run('ignored', '--all-tests')).stdout).toContain('Nothing left to do');
    });
});

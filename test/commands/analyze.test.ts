import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { openDuckDb } from '../../src/results/duckdb.js';
import { writeTasks } from '../results/fixtures.js';
import { runCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';

it('answers from result directories, with no database made before, in every format', async () => {
    const cwd = tempDir();
    writeTasks(join(cwd, 'results'), 'a', [{}, { verdict: 'WrongAnswer' }, { failure: 'endpoint' }]);
    writeTasks(join(cwd, 'results'), '=b|c', [{ group: 'incorrect_solution', language: 'PYTHON3' }]);
    const table = await callCli(['analyze', '--dir', 'results'], { cwd });
    expect(table).toMatchObject({ code: 0, stderr: '' });
    expect(table.stdout).toMatch(/^group +total +success/);
    expect(table.stdout).toMatch(/^solution +2 +1 +0 +1 +1 +50\.0 %/m);
    const csv = await callCli(['analyze', 'weak-tests', '--format', 'csv'], { cwd });
    expect(csv.stdout.split('\r\n')[1]).toMatch(/^'=b\|c,1,1,1,/);
    const json = await callCli(
        ['analyze', '--sql', 'select sample, "index" i from records order by all', '--json'],
        {
            cwd,
        },
    );
    expect(JSON.parse(json.stdout)).toMatchObject({
        rows: [
            { sample: '=b|c', i: 0 },
            { sample: 'a', i: 0 },
            { sample: 'a', i: 1 },
            { sample: 'a', i: 2 },
        ],
    });
    const file = await callCli(['analyze', '--by', 'sample', '--format', 'parquet', '-o', 'out.parquet'], {
        cwd,
    });
    expect(file).toMatchObject({ code: 0, stdout: '', stderr: '' });
    const read = await (await openDuckDb()).runAndReadAll(
        `SELECT sample, total::INTEGER, success_rate FROM '${join(cwd, 'out.parquet')}' ORDER BY total`,
    );
    expect(read.getRows()).toEqual([
        ['=b|c', 1, 1],
        ['a', 2, 0.5],
    ]);
    const markdown = await callCli(['analyze', 'weak-tests', '--format', 'markdown', '-o', 'm/weak.md'], {
        cwd,
    });
    expect(markdown.code).toBe(0);
    expect(readFileSync(join(cwd, 'm/weak.md'), 'utf8')).toContain('| `=b\\|c` | 1 | 1 | 100 % |');
    expect(readdirSync(cwd).sort()).toEqual(['m', 'out.parquet', 'results']);
});

it('says in one line what is wrong with a question, and what to install', async () => {
    const cwd = tempDir();
    const hook = pathToFileURL(join(import.meta.dirname, '../rig/no-duckdb.mjs')).href;
    const missing = await runCli(['analyze'], { cwd, env: { NODE_OPTIONS: `--import ${hook}` } });
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(/needs DuckDB.*npm install @duckdb\/node-api@\S+\n/);
    const unknown = await callCli(['analyze', 'slowst'], { cwd });
    expect(unknown).toMatchObject({ code: 2 });
    expect(unknown.stderr).toMatch(/expected a question.*did you mean slowest/);
    const absent = await callCli(['analyze', '--dir', 'nowhere'], { cwd });
    expect(absent.code).toBe(2);
    expect(absent.stderr).toMatch(/cannot read .*nowhere: .*no such file/);
});

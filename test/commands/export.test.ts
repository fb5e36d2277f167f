import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { openDuckDb } from '../../src/results/duckdb.js';
import { openStore } from '../../src/results/store/open-store.js';
import { readManifest } from '../../src/results/store/manifest.js';
import { runCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { commitRecords, records } from '../results/records.js';
import { writeTasks } from '../results/fixtures.js';

const NO_DUCKDB = {
    NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, '../rig/without-duckdb.mjs')).href}`,
};

it('exports result files as JSON lines and CSV without DuckDB, copies of a record once', async () => {
    const cwd = tempDir();
    writeTasks(join(cwd, 'results'), 'a', [{}, { verdict: 'WrongAnswer' }, { failure: 'endpoint' }]);
    writeTasks(join(cwd, 'results'), '=b', [{ group: 'iteration', result: { model: 'm, 1' } }]);
    cpSync(join(cwd, 'results'), join(cwd, 'copy'), { recursive: true });
    writeFileSync(join(cwd, 'results', 'torn.json'), '{"id":');
    const lines = await runCli(['export', '--all', '--dir', 'results', '--dir', 'copy'], {
        cwd,
        env: NO_DUCKDB,
    });
    const rows = lines.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    expect(rows).toHaveLength(4);
    expect(
        rows.map((one) => String(one.verdict ?? one.failure_reason)).sort((a, b) => (a < b ? -1 : 1)),
    ).toEqual(['Accepted', 'Accepted', 'WrongAnswer', 'endpoint']);
    expect(lines.stderr).toMatch(/torn.json is left out/);
    const csv = await runCli(['export', '--all', '--csv', '-o', 'out/r.csv'], { cwd, env: NO_DUCKDB });
    expect(csv).toMatchObject({ code: 0, stdout: '' });
    const text = readFileSync(join(cwd, 'out/r.csv'), 'utf8').split('\r\n');
    expect(text).toHaveLength(6);
    expect(text.some((line) => line.includes(",'=b,") && line.includes('"m, 1"'))).toBe(true);
    const parquet = await runCli(['export', '--format', 'parquet', '-o', 'r.parquet'], {
        cwd,
        env: NO_DUCKDB,
    });
    expect(parquet.code).toBe(2);
    expect(parquet.stderr).toMatch(/needs DuckDB.*npm install @duckdb\/node-api/);
    expect(readdirSync(cwd).sort()).toEqual(['copy', 'out', 'results']);
});

it('prints nothing of a database that it cannot read to its end', async () => {
    const cwd = tempDir();
    for (const [storage, run] of [
        ['json', 'run-1'],
        ['parquet', 'run-2'],
    ] as const) {
        const store = await openStore({ dir: join(cwd, 'database'), storage, onNotice: () => undefined });
        await commitRecords(store, records(5, { run }));
        await store.close();
    }
    for (const format of ['jsonl', 'csv']) {
        const args = ['export', '--database', 'database', '--format', format];
        expect(await runCli(args, { cwd, env: NO_DUCKDB })).toMatchObject({
            code: 2,
            stdout: '',
            stderr: expect.stringMatching(/needs DuckDB.*npm install @duckdb\/node-api/),
        });
    }
    const [, part = ''] = (await readManifest(join(cwd, 'database')))?.parts.map(({ path }) => path) ?? [];
    rmSync(join(cwd, 'database', part));
    expect(await callCli(['export', '--database', 'database'], { cwd })).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining('is missing'),
    });
});

it('exports a database as Parquet', async () => {
    const cwd = tempDir();
    const store = await openStore({ dir: join(cwd, 'database'), storage: 'json', onNotice: () => undefined });
    await commitRecords(store, records(20));
    await store.close();
    const done = await callCli(
        ['export', '--database', 'database', '--format', 'parquet', '--output', 'r.parquet'],
        { cwd },
    );
    expect(done).toMatchObject({ code: 0, stderr: '' });
    const found = await (await openDuckDb()).runAndReadAll(
        `SELECT count(*)::INTEGER, max("index")::INTEGER, any_value(verdict) FROM read_parquet('${join(cwd, 'r.parquet')}')`,
    );
    expect(found.getRows()).toEqual([[20, 19, 'Accepted']]);
});

it('reads the directory that a config file names, and takes nothing else from it for its own', async () => {
    const cwd = tempDir();
    writeTasks(join(cwd, 'elsewhere'), 'a', [{}]);
    writeFileSync(join(cwd, 'resume-run.config.yaml'), 'dir: elsewhere\nformat: csv\n');
    const { code, stdout, stderr } = await callCli(['export'], { cwd });
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sample: 'a', verdict: 'Accepted' });
});

it('exports the row and the output of each task; those given up only with --all', async () => {
    const cwd = tempDir();
    writeFileSync(join(cwd, 'l.csv'), 'name,code\nann,0\nbob,7\n');
    const script = 'printf "%s\\n" "$0"; exit "$1"';
    const ran = await callCli(
        ['l.csv', '--executor', 'exec', '--retries', '0', '--', 'sh', '-c', script, '{name}', '{code}'],
        { cwd },
    );
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('1 of 1 done in main  1 failed');
    const { stdout } = await callCli(['export'], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({
        verdict: 'Accepted',
        row: { name: 'ann', code: '0' },
        output: 'ann\n',
    });
    const all = await callCli(['export', '--all', '--csv'], { cwd });
    expect(all.stdout.split('\r\n')[0]).toMatch(/,row,output,output_file$/);
    expect(all.stdout).toMatch(/exit-code/);
    expect((await callCli(['export', '--csv', '--jsonl'], { cwd })).stderr).toContain(
        '--jsonl and --csv cannot be used together',
    );
    const shown = await callCli(['show', 'l.csv-1of1', 'main', JSON.parse(stdout).index.toString()], { cwd });
    expect(shown.stdout).toMatch(/main \d {2}done\n/);
    expect(shown.stdout).toMatch(/Row\n[^]*"ann"[^]*Printed\n {2}ann/);
    for (const command of ['report', 'status'])
        expect((await callCli([command], { cwd })).stdout).toContain('1 of 1 done in main');
});

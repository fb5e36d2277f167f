import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { openDuckDb } from '../../src/results/duckdb.js';
import { openStore } from '../../src/results/store/open-store.js';
import { runCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { commitRecords, records } from '../results/records.js';
import { writeTasks } from '../results/fixtures.js';

const NO_DUCKDB = {
    NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, '../rig/no-duckdb.mjs')).href}`,
};

it('exports result files as JSON lines and CSV without DuckDB, copies of a record once', async () => {
    const cwd = tempDir();
    writeTasks(join(cwd, 'results'), 'a', [{}, { verdict: 'WrongAnswer' }, { failure: 'endpoint' }]);
    writeTasks(join(cwd, 'results'), '=b', [{ group: 'iteration', result: { model: 'm, 1' } }]);
    cpSync(join(cwd, 'results'), join(cwd, 'copy'), { recursive: true });
    writeFileSync(join(cwd, 'results', 'torn.json'), '{"id":');
    const lines = await runCli(['export', '--dir', 'results', '--dir', 'copy'], { cwd, env: NO_DUCKDB });
    const rows = lines.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    expect(rows).toHaveLength(4);
    expect(
        rows.map((one) => String(one.verdict ?? one.failure_reason)).sort((a, b) => (a < b ? -1 : 1)),
    ).toEqual(['Accepted', 'Accepted', 'WrongAnswer', 'endpoint']);
    expect(lines.stderr).toMatch(/torn.json is left out/);
    const csv = await runCli(['export', '--format', 'csv', '-o', 'out/r.csv'], { cwd, env: NO_DUCKDB });
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

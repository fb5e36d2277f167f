import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDuckDb } from '../../src/results/duckdb.js';
import { openStore } from '../../src/results/store/open-store.js';
import { tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { commitRecords, records } from '../results/records.js';

it('writes records and answers as Parquet that are longer than the engine takes by itself', async () => {
    const cwd = tempDir();
    const long = 34 << 20;
    const store = await openStore({ dir: join(cwd, 'database'), storage: 'json', onNotice: () => undefined });
    await commitRecords(store, records(1, { failure_message: 'x'.repeat(long) }));
    await store.close();
    mkdirSync(join(cwd, 'results'));
    const sql = `select repeat('x', ${long}) as failure_message`;
    for (const [name, args] of [
        ['exported.parquet', ['export', '--database', 'database', '--format', 'parquet']],
        ['asked.parquet', ['analyze', '--sql', sql, '--format', 'parquet']],
    ] as const) {
        const { code, stderr } = await callCli([...args, '--output', name], { cwd });
        expect(code, stderr).toBe(0);
        const found = await (await openDuckDb()).runAndReadAll(
            `SELECT length(failure_message) = ${long} FROM read_parquet('${join(cwd, name)}')`,
        );
        expect(found.getRows()).toEqual([[true]]);
    }
});

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ResultRecord } from '../../src/results/record/record.js';
import type { StorageFormat } from '../../src/results/result-store.js';
import { backUpDatabase } from '../../src/results/store/backup.js';
import { openStore } from '../../src/results/store/open-store.js';
import { readGeneration } from '../../src/results/store/read-generation.js';
import { restoreDatabase } from '../../src/results/store/restore.js';
import { writeMasterTree } from '../../src/results/tree/write-tree.js';
import { runCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { commitRecords, records } from './records.js';

const WITHOUT_DUCKDB = `--import ${join(import.meta.dirname, '../rig/without-duckdb.mjs')}`;
const silent = { takeOver: false, onNotice: () => undefined, writeTree: writeMasterTree };

async function commit(dir: string, batch: readonly ResultRecord[], storage: StorageFormat = 'json') {
    const store = await openStore({ dir, storage, onNotice: () => undefined });
    await commitRecords(store, batch);
    await store.close();
}

/** A database of 5 records in two parts, and its backup from when it had 3. */
async function prepare(storage: StorageFormat = 'json') {
    const cwd = tempDir();
    const database = join(cwd, 'database');
    const copy = join(cwd, 'copy');
    await commit(database, records(3), storage);
    await writeMasterTree(database);
    await backUpDatabase(database, copy);
    await commit(database, records(2, { run: 'run-2' }), storage);
    await writeMasterTree(database);
    return { cwd, database, copy };
}

async function countRecords(dir: string): Promise<number> {
    let count = 0;
    for await (const some of await (await readGeneration(dir)).records()) count += some.length;
    return count;
}

/** Every file except locks, whose numbers grow with each process. */
const list = (dir: string): string[] =>
    readdirSync(dir, { recursive: true })
        .map(String)
        .filter((name) => !name.startsWith('lock.'))
        .sort();
const asides = (cwd: string): string[] => readdirSync(cwd).filter((name) => name.includes('before-restore'));

describe('a restore', () => {
    it('ends before it changes anything where it cannot tell what stands there', async () => {
        const { cwd, database, copy } = await prepare();
        rmSync(join(database, 'replaced'), { recursive: true, force: true });
        // Stands for a folder that cannot be listed.
        writeFileSync(join(database, 'replaced'), '');
        const parts = list(join(database, 'parts'));
        await expect(restoreDatabase(database, copy, silent)).rejects.toThrow(/cannot list .*replaced/);
        expect(list(join(database, 'parts'))).toEqual(parts);
        expect(asides(cwd)).toEqual([]);
        expect(await countRecords(database)).toBe(5);
    });

    it('shows a reader in a loop one whole generation after the other, each with a higher number', async () => {
        const { cwd, database, copy } = await prepare();
        const other = join(cwd, 'other');
        await backUpDatabase(database, other);
        const seen: { generation: number; records: number }[] = [];
        const done = new AbortController();
        const read = async (): Promise<void> => {
            while (!done.signal.aborted) {
                const { manifest } = await readGeneration(database);
                seen.push({ generation: manifest.generation, records: await countRecords(database) });
            }
        };
        const reading = read();
        for (let round = 0; round < 6; round += 1)
            await restoreDatabase(database, round % 2 === 0 ? copy : other, silent);
        done.abort();
        await reading;
        expect(new Set(seen.map((one) => one.records))).toEqual(new Set([3, 5]));
        const numbers = seen.map((one) => one.generation);
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        expect((await readGeneration(database)).manifest.generation).toBe(8);
        // Some of them fell into the same second.
        expect(await Promise.all(asides(cwd).map((name) => countRecords(join(cwd, name))))).toEqual(
            expect.arrayContaining([3, 3, 3, 5, 5, 5]),
        );
    });

    it('takes no backup whose part is damaged though it is as long as it says', async () => {
        const { cwd, database, copy } = await prepare();
        const [name = ''] = readdirSync(join(copy, 'parts'));
        const path = join(copy, 'parts', name);
        const bytes = readFileSync(path);
        writeFileSync(path, bytes.fill(0x20, 10, 60));
        const before = list(database);
        expect(await callCli(['database', 'restore', 'copy'], { cwd })).toMatchObject({
            code: 2,
            stderr: expect.stringMatching(
                /^resume-run: .*copy is not a complete backup: .*parts.*line 1: .*\n$/,
            ),
        });
        expect(list(database).filter((one) => before.includes(one))).toEqual(before);
        expect(readdirSync(join(database, 'parts'))).toHaveLength(2);
        expect(await countRecords(database)).toBe(5);
        expect(asides(cwd)).toEqual([]);
        // Reading it as a database also gives a single line.
        expect(await callCli(['export', '--database', 'copy'], { cwd })).toMatchObject({
            code: 2,
            stderr: expect.stringMatching(/^resume-run: .*parts\/.*\.jsonl: line 1: .*\n$/),
        });
    });

    it('takes no backup whose part has other rows, as many and as long, unless an earlier version made it', async () => {
        const { cwd, database, copy } = await prepare();
        const [name = ''] = readdirSync(join(copy, 'parts'));
        const path = join(copy, 'parts', name);
        writeFileSync(path, readFileSync(path, 'utf8').replaceAll('"run-1"', '"run-9"'));
        expect(await callCli(['database', 'restore', 'copy'], { cwd })).toMatchObject({
            code: 2,
            stderr: expect.stringMatching(
                /^resume-run: .*copy is not a complete backup: parts\/.*\.jsonl was changed since it was backed up\n$/,
            ),
        });
        expect(await countRecords(database)).toBe(5);
        expect(asides(cwd)).toEqual([]);
        const manifest = join(copy, 'manifest.json');
        writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(/,\s*"sha256": "\w+"/, ''));
        expect(await callCli(['database', 'restore', 'copy'], { cwd })).toMatchObject({ code: 0 });
        expect(await countRecords(database)).toBe(3);
    });

    it('forgets the migration of what stood there, and clears up after one that was killed', async () => {
        const { cwd, database } = await prepare();
        const migrated = await callCli(['migrate', '--to', 'parquet', '--json'], { cwd });
        expect(JSON.parse(migrated.stdout)).toEqual({ database, storage: 'parquet', records: 5 });
        const back = await callCli(['migrate', '--rollback', '--json'], { cwd });
        expect(JSON.parse(back.stdout)).toEqual({ database, storage: 'json', rolled_back: true });
        expect(await callCli(['migrate', '--to', 'parquet'], { cwd })).toMatchObject({ code: 0 });
        mkdirSync(join(cwd, 'database.before-restore-2026-11-29T03-21-57.unfinished/parts'), {
            recursive: true,
        });
        expect(await callCli(['database', 'restore', 'copy'], { cwd })).toMatchObject({ code: 0 });
        expect(await callCli(['migrate', '--rollback'], { cwd })).toMatchObject({
            code: 2,
            stderr: expect.stringContaining('never migrated'),
        });
        const [aside = '', ...rest] = asides(cwd);
        expect([aside.endsWith('.unfinished'), rest]).toEqual([false, []]);
        expect(list(join(cwd, aside))).toContain('before-migration');
        expect(await callCli(['database', 'restore', aside], { cwd })).toMatchObject({ code: 0 });
        expect(await countRecords(database)).toBe(5);
        expect(await callCli(['analyze', '--audit', 'database'], { cwd })).toMatchObject({ code: 0 });
    });

    it('of Parquet goes through without DuckDB, with the tree that the backup has', async () => {
        const { cwd, database, copy } = await prepare('parquet');
        const tree = readFileSync(join(copy, 'master_database.json'), 'utf8');
        expect(
            await runCli(['database', 'restore', 'copy'], { cwd, env: { NODE_OPTIONS: WITHOUT_DUCKDB } }),
        ).toMatchObject({
            code: 0,
            stderr: '',
        });
        expect(readFileSync(join(database, 'master_database.json'), 'utf8')).toBe(tree);
        expect(existsSync(join(database, 'keys'))).toBe(true);
        expect(await countRecords(database)).toBe(3);
    });
});

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type ResultRecord, recordLine } from '../../src/results/record/record.js';
import type { StorageFormat } from '../../src/results/result-store.js';
import type { DatabaseStore } from '../../src/results/store/database-store.js';
import { openStore } from '../../src/results/store/open-store.js';
import { readGeneration } from '../../src/results/store/read-generation.js';
import { killGroup, runCli, startCli, tempDir } from '../rig/cli.js';
import { callCli } from '../rig/in-process.js';
import { commitRecords, records } from './records.js';
import { runs } from '../rig/long.js';
import { patience } from '../rig/slowness.js';

const open = (dir: string, storage: StorageFormat | null = null): Promise<DatabaseStore> =>
    openStore({ dir, storage, onNotice: () => undefined });

async function linesOf(dir: string): Promise<string[]> {
    const found: string[] = [];
    for await (const some of await (await readGeneration(dir)).records()) found.push(...some.map(recordLine));
    return found.sort();
}

const linesFrom = (list: readonly ResultRecord[]): string[] => list.map(recordLine).sort();

async function makeDatabase(dir: string, storage: StorageFormat, count = 60): Promise<ResultRecord[]> {
    const store = await open(dir, storage);
    const all = records(count, {
        score: 0.1,
        finished_at: '2026-11-29T08:00:00.123Z',
        dimensions: '{"a": 1}',
    });
    for (let at = 0; at < count; at += count / 3) await commitRecords(store, all.slice(at, at + count / 3));
    await store.close();
    return all;
}

const codecsOf = async (dir: string): Promise<StorageFormat[]> =>
    (await readGeneration(dir)).manifest.parts.map(({ codec }) => codec);

it.each([
    ['json', 'parquet'],
    ['parquet', 'json'],
] as const)('converts %s to %s and back', async (from, to) => {
    const dir = tempDir();
    const all = await makeDatabase(dir, from);
    const store = await open(dir);
    const steps: string[] = [];
    expect(await store.migrate(to, (done, whole) => steps.push(`${done}/${whole}`))).toBe(60);
    expect(steps).toEqual(['60/60']);
    expect(await store.migrate(to, () => undefined)).toBe(0);
    await store.close();
    expect(await codecsOf(dir)).toEqual([to]);
    expect(await linesOf(dir)).toEqual(linesFrom(all));
    const again = await open(dir);
    expect(again.storage).toBe(to);
    expect(await commitRecords(again, all)).toMatchObject({ added: 0, duplicates: 60 });
    expect(await again.rollBackMigration()).toBe(from);
    await expect(again.rollBackMigration()).rejects.toThrow(/nothing to roll back/);
    expect(await codecsOf(dir)).toEqual([from, from, from]);
    expect(await linesOf(dir)).toEqual(linesFrom(all));
    expect(existsSync(join(dir, 'before-migration'))).toBe(false);
    // Parts replaced earlier must not stay in parts/ when they are replaced again.
    expect(await again.migrate(to, () => undefined)).toBe(60);
    await again.close();
    const named = (await readGeneration(dir)).manifest.parts.map(({ path }) => path);
    expect(readdirSync(join(dir, 'parts')).map((name) => `parts/${name}`)).toEqual(named);
});

it('keeps no way back where there was nothing to convert', async () => {
    const dir = tempDir();
    await makeDatabase(dir, 'json');
    const store = await open(dir);
    expect(await store.migrate('json', () => undefined)).toBe(0);
    await expect(store.rollBackMigration()).rejects.toThrow(/never migrated.*nothing to roll back/);
    await store.close();
    expect(existsSync(join(dir, 'before-migration'))).toBe(false);
});

it('does not count as begun where the parts cannot be read', async () => {
    const dir = tempDir();
    await makeDatabase(dir, 'parquet');
    const hook = join(import.meta.dirname, '../rig/without-duckdb.mjs');
    const args = ['migrate', '--to', 'json', '--database', dir];
    const { code, stderr } = await runCli(args, { cwd: dir, env: { NODE_OPTIONS: `--import ${hook}` } });
    expect(code).toBe(2);
    expect(stderr).toMatch(/needs DuckDB, which is not installed: npm install/);
    expect(existsSync(join(dir, 'migration.json'))).toBe(false);
    expect(existsSync(join(dir, 'before-migration'))).toBe(false);
});

it('does not go back over records that came since', async () => {
    const dir = tempDir();
    await makeDatabase(dir, 'json');
    const store = await open(dir);
    await store.migrate('parquet', () => undefined);
    await store.close();
    const later = await open(dir);
    await commitRecords(later, records(1, { sample: 'new' }));
    await expect(later.rollBackMigration()).rejects.toThrow(/collected or joined since.*migrate --to json/);
    await later.close();
    expect(await linesOf(dir)).toHaveLength(61);
});

it('switches nothing where a part is damaged', async () => {
    const dir = tempDir();
    const all = await makeDatabase(dir, 'json');
    const [name = ''] = readdirSync(join(dir, 'parts'));
    const path = join(dir, 'parts', name);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.slice(0, -20));
    const store = await open(dir);
    await expect(store.migrate('parquet', () => undefined)).rejects.toMatchObject({ exitCode: 4 });
    await store.close();
    expect(await codecsOf(dir)).toEqual(['json', 'json', 'json']);
    writeFileSync(path, text);
    expect(await linesOf(dir)).toEqual(linesFrom(all));
});

it('is whole after each kill -9, and goes on', { timeout: patience(90_000) }, async () => {
    const cwd = tempDir();
    const dir = join(cwd, 'database');
    const all = await makeDatabase(dir, 'json', 6000);
    const expected = linesFrom(all);
    const rounds = runs(2);
    let killed = 0;
    for (let round = 0; round < rounds; round += 1) {
        rmSync(join(dir, 'migration.json'), { force: true });
        const { child, result } = startCli(['migrate', '--to', round % 2 === 0 ? 'parquet' : 'json'], {
            cwd,
        });
        const isOver = result.then(() => true);
        // Counted from when it has begun, because a start takes longer than a small migration.
        while (!existsSync(join(dir, 'migration.json')) && !(await Promise.race([isOver, wait(5, false)])));
        await wait(Math.random() * 150);
        killGroup(child);
        if ((await result).signal === 'SIGKILL') killed += 1;
        expect(await linesOf(dir)).toEqual(expected);
    }
    const done = await callCli(['migrate', '--to', 'parquet'], { cwd });
    expect(done).toMatchObject({ code: 0 });
    expect(new Set(await codecsOf(dir))).toEqual(new Set(['parquet']));
    expect(await linesOf(dir)).toEqual(expected);
    expect(killed).toBeGreaterThan(0);
});

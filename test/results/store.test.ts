import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RECORD_VERSION } from '../../src/results/record/fields.js';
import {
    digestKey,
    makeRecord,
    parseRecord,
    type RecordChange,
    type ResultRecord,
    recordLine,
} from '../../src/results/record/record.js';
import { STORAGE_FORMATS, type StorageFormat } from '../../src/results/result-store.js';
import type { DatabaseStore } from '../../src/results/store/database-store.js';
import { openStore } from '../../src/results/store/open-store.js';
import { readGeneration } from '../../src/results/store/read-generation.js';
import { tempDir } from '../rig/cli.js';
import { runs } from '../rig/long.js';
import { anyRecord, commitRecords, recordInput, records } from './records.js';

const notices: string[] = [];

const open = (
    dir: string,
    storage: StorageFormat | null = null,
    partBytes?: number,
): Promise<DatabaseStore> =>
    openStore({
        dir,
        storage,
        onNotice: (line) => notices.push(line),
        ...(partBytes === undefined ? {} : { partBytes }),
    });

async function readAll(dir: string): Promise<ResultRecord[]> {
    const found: ResultRecord[] = [];
    for await (const some of await (await readGeneration(dir)).records()) found.push(...some);
    return found.sort((a, b) => (recordLine(a) < recordLine(b) ? -1 : 1));
}

const sorted = (list: readonly ResultRecord[]): ResultRecord[] =>
    [...list].sort((a, b) => (recordLine(a) < recordLine(b) ? -1 : 1));

const retire = (record: ResultRecord, revision: number): RecordChange => {
    const { run, sample, group, fingerprint, occurrence } = record;
    return { kind: 'retirement', retirement: { run, sample, group, fingerprint, occurrence, revision } };
};

describe.each(STORAGE_FORMATS)('a store of %s parts', (storage) => {
    it('keeps every record once, however often a batch comes', async () => {
        const dir = tempDir();
        const batch = records(50);
        const store = await open(dir, storage);
        expect(await commitRecords(store, batch)).toMatchObject({ added: 50, duplicates: 0 });
        expect(await commitRecords(store, [...batch, ...batch])).toMatchObject({ added: 0, duplicates: 100 });
        expect(store.generation).toBe(1);
        await store.close();
        const again = await open(dir, storage);
        expect(await commitRecords(again, batch)).toMatchObject({ added: 0, duplicates: 50 });
        await again.close();
        expect(await readAll(dir)).toEqual(sorted(batch));
    });

    it('holds records of an earlier schema beside those of this one, through a compaction', async () => {
        const dir = tempDir();
        const store = await open(dir, storage);
        const earlier = records(3, { sample: 'earlier' }).map((one) => parseRecord({ ...one, version: 1 }));
        const now = records(3, { finish_reason: 'length' });
        await commitRecords(store, earlier);
        await commitRecords(store, now);
        expect(await readAll(dir)).toEqual(sorted([...earlier, ...now]));
        await store.compact();
        await store.close();
        const found = await readAll(dir);
        expect(found).toEqual(sorted([...earlier, ...now]));
        const seen = new Set(found.map(({ version, finish_reason }) => `${version} ${finish_reason}`));
        expect([...seen].sort()).toEqual(['1 null', `${RECORD_VERSION} length`]);
    });

    it('keeps the highest revision, whatever order batches come in and whatever the clocks said', async () => {
        const dir = tempDir();
        const store = await open(dir, storage);
        const at = (revision: number, finished_at: string): ResultRecord =>
            makeRecord(recordInput({ revision, finished_at, score: revision }));
        await commitRecords(store, [at(2, '2026-01-02T00:00:00Z'), ...records(3, { sample: 'other' })]);
        expect(await commitRecords(store, [at(3, '2020-01-01T00:00:00Z')])).toMatchObject({ replaced: 1 });
        expect(await commitRecords(store, [at(1, '2030-01-01T00:00:00Z')])).toMatchObject({ duplicates: 1 });
        // Both in one batch: the row written for the first is removed again.
        expect(
            await commitRecords(store, [at(4, '2026-01-01T00:00:00Z'), at(5, '2026-01-01T00:00:00Z')]),
        ).toMatchObject({ replaced: 2 });
        await store.close();
        const found = await readAll(dir);
        expect(found).toHaveLength(4);
        expect(found.find((one) => one.sample === 'a/1')?.score).toBe(5);
    });

    it('takes a retired record out, and a late batch does not bring it back', async () => {
        const dir = tempDir();
        const batch = records(3);
        const [first] = batch as [ResultRecord];
        const store = await open(dir, storage);
        await commitRecords(store, batch);
        expect(await store.commit([retire(first, 1)])).toMatchObject({ retired: 1 });
        expect(await commitRecords(store, batch)).toMatchObject({ added: 0, duplicates: 3 });
        await store.compact();
        await store.close();
        const again = await open(dir, storage);
        expect(await commitRecords(again, batch)).toMatchObject({ duplicates: 3 });
        expect(await commitRecords(again, [{ ...first, revision: 2 }])).toMatchObject({ added: 1 });
        await again.close();
        expect(await readAll(dir)).toHaveLength(3);
    });

    it('knows a record whose key was retired before it in the same batch', async () => {
        const dir = tempDir();
        const [first] = records(1) as [ResultRecord];
        const store = await open(dir, storage);
        await commitRecords(store, [first]);
        // A task that was removed from its dataset and added again before anybody collected.
        const back: RecordChange = { kind: 'record', record: { ...first, revision: 2 } };
        expect(await store.commit([retire(first, 1), back])).toMatchObject({ retired: 1, added: 1 });
        expect(await store.commit([back])).toMatchObject({ added: 0, duplicates: 1 });
        expect(await commitRecords(store, [{ ...first, revision: 3 }])).toMatchObject({ replaced: 1 });
        await store.close();
        expect(await readAll(dir)).toEqual([{ ...first, revision: 3 }]);
    });

    it('gives back exactly what came in', async () => {
        await fc.assert(
            fc.asyncProperty(
                fc.uniqueArray(anyRecord, {
                    maxLength: 8,
                    selector: (one) => digestKey(one).toString('hex'),
                }),
                async (batch) => {
                    const dir = tempDir();
                    const store = await open(dir, storage);
                    await commitRecords(store, batch);
                    await store.close();
                    expect(await readAll(dir)).toEqual(sorted(batch));
                    rmSync(dir, { recursive: true });
                },
            ),
            { numRuns: runs(15) },
        );
    });

    it('joins small parts, moves the old ones out of parts/, and an earlier reader still sees its whole generation', async () => {
        const dir = tempDir();
        const store = await open(dir, storage);
        const batch = records(30);
        for (let at = 0; at < 30; at += 3) await commitRecords(store, batch.slice(at, at + 3));
        const before = await readGeneration(dir);
        expect(before.manifest.parts).toHaveLength(10);
        await store.compact();
        const after = await readGeneration(dir);
        expect(after.manifest.parts).toHaveLength(1);
        expect(readdirSync(join(dir, 'parts'))).toHaveLength(1);
        const seen: ResultRecord[] = [];
        for await (const some of await before.records()) seen.push(...some);
        expect(sorted(seen)).toEqual(sorted(batch));
        expect(await readAll(dir)).toEqual(sorted(batch));
        await store.close();
    });

    it('joins small parts by itself where there are many', async () => {
        const dir = tempDir();
        const batch = records(66);
        const small = await open(dir, storage, 1);
        await commitRecords(small, batch.slice(0, 64));
        await small.close();
        const store = await open(dir, storage);
        expect(store.manifest.parts).toHaveLength(64);
        await commitRecords(store, batch.slice(0, 65));
        expect(store.manifest.parts).toHaveLength(1);
        await commitRecords(store, batch);
        expect(store.manifest.parts).toHaveLength(2);
        await store.close();
        expect(await readAll(dir)).toEqual(sorted(batch));
    });

    it('begins a new part when one is large enough', async () => {
        const dir = tempDir();
        const store = await open(dir, storage, 2000);
        await commitRecords(store, records(100));
        await store.close();
        const { manifest } = await readGeneration(dir);
        expect(manifest.parts.length).toBeGreaterThan(5);
        expect(manifest.parts.reduce((sum, part) => sum + part.records, 0)).toBe(100);
        expect(await readAll(dir)).toHaveLength(100);
    });

    it('takes a batch whole or not at all', async () => {
        const dir = tempDir();
        const store = await open(dir, storage);
        await commitRecords(store, records(2));
        const failing = async function* (): AsyncGenerator<readonly RecordChange[]> {
            yield [{ kind: 'record', record: makeRecord(recordInput({ sample: 'new' })) }];
            await Promise.reject(new Error('the batch is torn'));
        };
        await expect(store.commit(failing())).rejects.toThrow('the batch is torn');
        expect(store.generation).toBe(1);
        expect(await commitRecords(store, [makeRecord(recordInput({ sample: 'new' }))])).toMatchObject({
            added: 1,
        });
        await store.close();
        expect(readdirSync(join(dir, 'parts'))).toHaveLength(2);
        expect(await readAll(dir)).toHaveLength(3);
    });

    it('makes the key files again from the parts', async () => {
        const dir = tempDir();
        const store = await open(dir, storage);
        await commitRecords(store, records(5));
        await store.close();
        rmSync(join(dir, 'keys'), { recursive: true });
        const again = await open(dir, storage);
        expect(await commitRecords(again, records(6))).toMatchObject({ added: 1, duplicates: 5 });
        await again.close();
    });
});

describe('a store', () => {
    it('has one writer', async () => {
        const dir = tempDir();
        const store = await open(dir);
        await expect(open(dir)).rejects.toMatchObject({ exitCode: 3 });
        await store.close();
        await (await open(dir)).close();
    });

    it.each([
        '',
        '{',
        '[]',
        '{"version": 9}',
        '{"version":1,"generation":1,"storage":"json","parts":[{"path":"../x"}]}',
    ])('with the manifest %j is refused and stays as it is', async (text) => {
        const dir = tempDir();
        const store = await open(dir);
        await commitRecords(store, records(2));
        await store.close();
        const parts = readdirSync(join(dir, 'parts'));
        writeFileSync(join(dir, 'manifest.json'), text);
        await expect(open(dir)).rejects.toMatchObject({
            exitCode: 2,
            message: expect.stringMatching(/manifest.json is damaged.*restore/),
        });
        expect(readdirSync(join(dir, 'parts'))).toEqual(parts);
        expect(readFileSync(join(dir, 'manifest.json'), 'utf8')).toBe(text);
    });

    it('does not start from nothing where the manifest was lost', async () => {
        const dir = tempDir();
        const store = await open(dir);
        await commitRecords(store, records(2));
        await store.close();
        rmSync(join(dir, 'manifest.json'));
        await expect(open(dir)).rejects.toThrow(/manifest.json is missing/);
    });

    it.each(['retirements', 'counts of an earlier database'])(
        'of %s alone does not start from nothing either',
        async (content) => {
            const dir = tempDir();
            const store = await open(dir);
            const [first] = records(1) as [ResultRecord];
            if (content === 'retirements') await store.commit([retire(first, 1)]);
            else await store.addAggregates({ source: 'old.json', sha256: '0'.repeat(64), cells: [] });
            await store.close();
            rmSync(join(dir, 'manifest.json'));
            await expect(open(dir)).rejects.toThrow(/manifest.json is missing/);
        },
    );

    it('names the part that is torn', async () => {
        const dir = tempDir();
        const store = await open(dir);
        await commitRecords(store, records(2));
        await store.close();
        const [part] = readdirSync(join(dir, 'parts')) as [string];
        const path = join(dir, 'parts', part);
        writeFileSync(path, readFileSync(path).subarray(0, -9));
        await expect(readAll(dir)).rejects.toThrow(`${part}: the last line is cut`);
    });

    it('rewrites large Parquet parts row by row, and begins new parts meanwhile', async () => {
        const dir = tempDir();
        // More rows than the engine returns at once, and more replaced rows than it skips in a copy.
        const batch = records(10_000);
        const store = await open(dir, 'parquet');
        await commitRecords(store, batch);
        await store.close();
        const again = await open(dir, 'parquet', 500_000);
        const changed = batch.slice(0, 2500).map((one) => ({ ...one, revision: 2 }));
        expect(await commitRecords(again, changed)).toMatchObject({ replaced: 2500 });
        await again.close();
        const { manifest } = await readGeneration(dir);
        expect(manifest.parts.length).toBeGreaterThan(3);
        const lines = (await readAll(dir)).map(recordLine).join('\n');
        const expected = sorted([...changed, ...batch.slice(2500)]).map(recordLine);
        expect(lines === expected.join('\n')).toBe(true);
    });

    it('commits nothing where a part could not be finished while the next one was filled', async () => {
        const dir = tempDir();
        const store = await open(dir, 'parquet', 2000);
        await commitRecords(store, records(2));
        const breaking = async function* (): AsyncGenerator<readonly RecordChange[]> {
            for (const [at, one] of records(100, { sample: 'new' }).entries()) {
                if (at === 30)
                    for (const name of readdirSync(join(dir, 'parts')))
                        if (name.startsWith('.')) writeFileSync(join(dir, 'parts', name), 'not a record\n');
                await new Promise((resolve) => setImmediate(resolve));
                yield [{ kind: 'record', record: one }];
            }
        };
        await expect(store.commit(breaking())).rejects.toThrow(/Malformed JSON/);
        expect(readdirSync(join(dir, 'parts'))).toHaveLength(1);
        expect(await commitRecords(store, records(100, { sample: 'new' }))).toMatchObject({ added: 100 });
        await store.close();
        expect(await readAll(dir)).toHaveLength(102);
    });

    it('moves out what a killed writer left, and reads both codecs as one', async () => {
        const dir = tempDir();
        const store = await open(dir, 'json');
        await commitRecords(store, records(2));
        await store.close();
        writeFileSync(join(dir, 'parts', 'left-behind.jsonl'), 'half a li');
        const staging = ['parts', 'keys', 'retirements', 'aggregates'].map((folder) => {
            mkdirSync(join(dir, folder), { recursive: true });
            return join(dir, folder, '.some.jsonl.h0123456789ab.00000001.tmp');
        });
        for (const path of staging) writeFileSync(path, 'half a li');
        const other = await open(dir, 'parquet');
        expect(notices.at(-1)).toMatch(/migrate --to parquet/);
        await commitRecords(other, records(4));
        await other.close();
        expect(existsSync(join(dir, 'replaced', 'left-behind.jsonl'))).toBe(true);
        expect(staging.filter(existsSync)).toEqual([]);
        expect((await readGeneration(dir)).manifest.parts.map((part) => part.codec)).toEqual([
            'json',
            'parquet',
        ]);
        expect(await readAll(dir)).toHaveLength(4);
        mkdirSync(join(dir, 'elsewhere'));
        renameSync(join(dir, 'keys'), join(dir, 'elsewhere', 'keys'));
    });
});

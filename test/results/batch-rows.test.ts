import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { batchText, changeText } from '../../src/results/collect/own-batch.js';
import { makeSourceCounts } from '../../src/results/collect/source.js';
import {
    makeRecord,
    type RecordChange,
    type ResultRecord,
    recordLine,
} from '../../src/results/record/record.js';
import type { CommitSummary, StorageFormat } from '../../src/results/result-store.js';
import { collectSpool } from '../../src/results/spool/collect-spool.js';
import { readKeysOfPart } from '../../src/results/store/key-files.js';
import { readManifest } from '../../src/results/store/manifest.js';
import { openStore } from '../../src/results/store/open-store.js';
import { readGeneration } from '../../src/results/store/read-generation.js';
import { tempDir } from '../rig/cli.js';
import { runs } from '../rig/long.js';
import { recordInput, records } from './records.js';

/** Batches as runs write them are stored as bytes; the same JSON in another layout is parsed. */
type Layout = (text: string) => string;
const asWritten: Layout = (text) => text;
const spread: Layout = (text) => JSON.stringify(JSON.parse(text), null, 1);

interface Collected {
    readonly summaries: readonly CommitSummary[];
    readonly counts: { readonly records: number; readonly retirements: number };
    readonly found: readonly ResultRecord[];
}

/** Collects rounds of batches, each round at once, and compares the stored keys with those of the parts. */
async function collect(
    rounds: readonly (readonly (readonly RecordChange[])[])[],
    layout: Layout,
    storage: StorageFormat,
    partBytes: number,
): Promise<Collected> {
    const cwd = tempDir();
    const [spool, dir] = [join(cwd, 'spool'), join(cwd, 'database')];
    mkdirSync(spool);
    const counts = makeSourceCounts();
    const summaries: CommitSummary[] = [];
    const store = await openStore({ dir, storage, partBytes, onNotice: () => undefined });
    for (const [round, batches] of rounds.entries()) {
        for (const [at, changes] of batches.entries())
            writeFileSync(join(spool, `${round}-${at}.json`), layout(batchText(changes.map(changeText))));
        const options = {
            dir: spool,
            keepDays: 7,
            counts,
            onNotice: (line: string) => expect(line).toBe(''),
        };
        summaries.push(await collectSpool(store, options));
    }
    await store.close();
    const manifest = await readManifest(dir);
    for (const part of manifest?.parts ?? []) {
        const kept = readFileSync(join(dir, 'keys', `${part.path.slice('parts/'.length)}.keys2`));
        expect(kept).toEqual(Buffer.from((await readKeysOfPart(dir, part)).bytes));
    }
    return { summaries, counts, found: await readAll(dir) };
}

async function readAll(dir: string): Promise<ResultRecord[]> {
    const found: ResultRecord[] = [];
    for await (const some of await (await readGeneration(dir)).records()) found.push(...some);
    return found.sort((a, b) => (recordLine(a) < recordLine(b) ? -1 : 1));
}

const change = fc
    .record({
        sample: fc.constantFrom('a', 'ü', '漢"'),
        fingerprint: fc.constantFrom('f1', 'f2', 'f3'),
        revision: fc.integer({ min: 1, max: 4 }),
        isRetired: fc.boolean(),
        message: fc.option(fc.string({ unit: 'grapheme', maxLength: 40 })),
        score: fc.option(fc.constantFrom(0.5, 1e-9, 1)),
    })
    .map(({ isRetired, message, score, ...key }): RecordChange => {
        const record = makeRecord(recordInput({ ...key, failure_message: message, score }));
        const { run, sample, group, fingerprint, occurrence, revision } = record;
        const retirement = { run, sample, group, fingerprint, occurrence, revision };
        return isRetired ? { kind: 'retirement', retirement } : { kind: 'record', record };
    });

const rounds = fc.array(fc.array(fc.array(change, { minLength: 1, maxLength: 6 }), { maxLength: 3 }), {
    minLength: 1,
    maxLength: 3,
});

it('stores batches as runs write them exactly as it stores the same batches parsed', async () => {
    const storage = fc.constantFrom('json', 'json', 'parquet' as const);
    await fc.assert(
        fc.asyncProperty(rounds, storage, fc.constantFrom(1, 400, 1e9), async (list, format, partBytes) => {
            const written = await collect(list, asWritten, format, partBytes);
            expect(written).toEqual(await collect(list, spread, format, partBytes));
        }),
        { numRuns: runs(8) },
    );
});

it('keeps the rows of a batch when the next one is read, and of more than one writing', async () => {
    const list = Array.from({ length: 5 }, (_, batch) =>
        records(1500 + batch, { sample: `s${batch}`, failure_message: 'ü'.repeat(batch * 100) }),
    );
    // Known rows occur between new ones.
    const known = (list[0] ?? []).filter((_, at) => at % 7 === 0);
    const toChanges = (some: readonly ResultRecord[]): RecordChange[] =>
        some.map((record) => ({ kind: 'record', record }));
    const first = [toChanges(known)];
    const { summaries, found } = await collect([first, list.map(toChanges)], asWritten, 'json', 1e9);
    const all = list.flat();
    expect(summaries[1]).toMatchObject({ added: all.length - known.length, duplicates: known.length });
    expect(found).toEqual(all.sort((a, b) => (recordLine(a) < recordLine(b) ? -1 : 1)));
});

it('takes no digests that an earlier version made', async () => {
    const dir = tempDir();
    const open = () => openStore({ dir, storage: 'json', onNotice: () => undefined });
    const changes = records(20).map((record): RecordChange => ({ kind: 'record', record }));
    const store = await open();
    await store.commit(changes);
    await store.close();
    const keys = join(dir, 'keys');
    for (const name of readdirSync(keys).filter((one) => one.endsWith('.keys2')))
        renameSync(join(keys, name), join(keys, name.slice(0, -1)));
    for (const name of readdirSync(keys).filter((one) => one.endsWith('.keys')))
        writeFileSync(join(keys, name), readFileSync(join(keys, name)).fill(7));
    const again = await open();
    expect(await again.commit(changes)).toMatchObject({ added: 0, duplicates: 20 });
    await again.close();
});

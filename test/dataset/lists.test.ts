import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/dataset/dataset.js';
import { BucketLayoutBuilder } from '../../src/dataset/lists/bucket-layout.js';
import { countBucketsInNames } from '../../src/dataset/lists/buckets-in-names.js';
import { UserError } from '../../src/util/user-error.js';
import { runs } from '../rig/long.js';
import { folderWith, indexOf, MemoryCache, openOne } from './rig.js';

const lists = { accepted: true };

/** Data of every task by sample. */
async function dataOf(dataset: Dataset): Promise<Record<string, unknown[]>> {
    const found: Record<string, unknown[]> = {};
    for (const indexed of await indexOf(dataset)) {
        const sample = await dataset.load(indexed);
        found[sample.id] = (sample.groups['main'] ?? []).map((input) =>
            input.kind === 'data' ? input.data : null,
        );
    }
    return found;
}

const allData = async (dataset: Dataset): Promise<unknown[]> => Object.values(await dataOf(dataset)).flat();

describe('lists', () => {
    it('reads CSV: quotes, line breaks in a field, a byte order mark, empty lines', async () => {
        const folder = await folderWith({ 'u.csv': '\uFEFFid,note\r\n1,"a, ""b""\r\nc"\r\n\r\n2,é\r\n' });
        const dataset = await openOne(join(folder, 'u.csv'), { lists });
        expect(await dataOf(dataset)).toEqual({
            'u.csv-1of1': [
                { id: '1', note: 'a, "b"\r\nc' },
                { id: '2', note: 'é' },
            ],
        });
        expect([...(dataset.fields ?? [])]).toEqual(['id', 'note']);
    });

    it('reads TSV, plain lines, and JSON rows that are of no other format', async () => {
        const folder = await folderWith({
            'u.tsv': 'a\tb\n1\tx y\n',
            'u.txt': 'first line\r\n\nsecond\n',
            'u.jsonl': '{"prompt": "p", "seed": 9007199254740993}\n',
            noname: 'one\ntwo',
        });
        const read = async (name: string): Promise<unknown[]> =>
            allData(await openOne(join(folder, name), { lists }));
        expect(await read('u.tsv')).toEqual([{ a: '1', b: 'x y' }]);
        expect((await read('u.txt')).toSorted(byText)).toEqual([{ line: 'first line' }, { line: 'second' }]);
        expect(await read('u.jsonl')).toHaveLength(1);
        expect((await read('noname')).toSorted(byText)).toEqual([{ line: 'one' }, { line: 'two' }]);
    });

    it('takes a file for a problem set where it is one, and refuses lists where programs are judged', async () => {
        const folder = await folderWith({
            'g.jsonl': '{"id": "a", "groups": {"main": [1]}}\n',
            'u.csv': 'a\n1\n',
        });
        expect((await openOne(join(folder, 'g.jsonl'), { lists })).format).toBe('general');
        await expect(openOne(join(folder, 'u.csv'))).rejects.toThrow(
            /a list \(csv\).*--executor exec, module or chat/,
        );
    });

    it.each([
        ['a,a\n1,2\n', ':1: column 2 repeats the name a'],
        ['a,\n1,2\n', ':1: column 2 has no name'],
        ['', ':1: expected a header'],
        ['a,b\n1\n', ':2: expected 2 columns as in the header, got 1'],
        ['a\n1\n"x\n', ':3: not valid CSV'],
        ['a\n1\n\xff\n', ':3: the row is not valid UTF-8'],
    ])('says what is wrong with the CSV %j', async (text, message) => {
        const folder = await folderWith({ 'u.csv': Buffer.from(text, 'latin1') });
        const dataset = await openOne(join(folder, 'u.csv'), { lists });
        await expect(indexOf(dataset)).rejects.toThrow(UserError);
        await expect(indexOf(dataset)).rejects.toThrow(message);
    });

    it('leaves bad rows out where that was asked for', async () => {
        const folder = await folderWith({ 'u.csv': 'a,b\n1,2\n3\n4,5\n' });
        const dataset = await openOne(join(folder, 'u.csv'), { lists, skipBadRows: true });
        expect(await allData(dataset)).toHaveLength(2);
        expect(dataset.badRows).toEqual([expect.stringContaining(':3: expected 2 columns')]);
    });

    it('keeps every other row in its sample when rows are inserted, moved and removed', async () => {
        const rows = Array.from({ length: 300 }, (_, i) => `row ${i}`);
        const folder = await folderWith({ 'l.txt': rows.join('\n') });
        const path = join(folder, 'l.txt');
        const placed = async (buckets: number | null): Promise<Map<string, string>> => {
            const asked = { accepted: true, rowsPerSample: 20, bucketsOf: () => buckets };
            const bySample = await dataOf(await openOne(path, { lists: asked }));
            return new Map(
                Object.entries(bySample).flatMap(([id, data]) =>
                    data.map((row): [string, string] => [(row as { line: string }).line, id]),
                ),
            );
        };
        const before = await placed(null);
        expect(new Set(before.values()).size).toBe(15);
        await writeFile(path, ['new', ...rows.slice(1).reverse(), 'newer'].join('\n'));
        const after = await placed(15);
        expect(after.size).toBe(301);
        for (const row of rows.slice(1)) expect(after.get(row)).toBe(before.get(row));
    });

    it('finds rows again from what an earlier start indexed, and sees that the file changed', async () => {
        const folder = await folderWith({ 'l.txt': 'a\nb\nc\n' });
        const path = join(folder, 'l.txt');
        const cache = new MemoryCache();
        const first = await allData(await openOne(path, { lists, cache }));
        const again = await openOne(path, { lists, cache });
        const [indexed] = await indexOf(again);
        expect(cache.hits).toBe(1);
        expect(await allData(again)).toEqual(first);
        const changed = await openOne(path, { lists, cache });
        await indexOf(changed);
        await appendFile(path, 'd\n');
        if (indexed === undefined) throw new Error('no sample');
        await expect(changed.load(indexed)).rejects.toThrow(/changed while it was in use/);
    });

    it('gives each row to exactly one sample, in the order of the file', () => {
        const hash = fc.nat({ max: 2 ** 31 });
        fc.assert(
            fc.property(
                fc.array(hash, { maxLength: 3000 }),
                fc.integer({ min: 1, max: 50 }),
                (hashes, buckets) => {
                    const builder = new BucketLayoutBuilder();
                    for (const [i, each] of hashes.entries()) {
                        builder.add({ line: i + 1, offset: i * 10, length: 9, hash: each });
                    }
                    const layout = builder.build(buckets, (text) => text);
                    const lines: number[] = [];
                    for (let bucket = 0; bucket < buckets; bucket += 1) {
                        const rows = layout.getRows(bucket);
                        expect(rows.every((row) => row.hash % buckets === bucket)).toBe(true);
                        expect(rows.map(({ line }) => line)).toEqual(
                            rows.map(({ line }) => line).toSorted((a, b) => a - b),
                        );
                        lines.push(...rows.map(({ line }) => line));
                    }
                    expect(lines.toSorted((a, b) => a - b)).toEqual(hashes.map((_, i) => i + 1));
                },
            ),
            { numRuns: runs(50) },
        );
    });

    it('knows the number of samples from names of result files', () => {
        expect(countBucketsInNames('/x/u.csv', ['other.json', 'u.csv-3of17.json'])).toBe(17);
        expect(countBucketsInNames('/x/u.csv', ['xu.csv-3of17.json', 'u.csv-3of17.json.damaged'])).toBeNull();
    });

    it('reads what csv-parse writes between quotes whatever it holds', async () => {
        const cell = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((text) => !text.includes('\r'));
        await fc.assert(
            fc.asyncProperty(
                fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 8 }),
                async (cells) => {
                    const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
                    const body = cells.map((row) => row.map(quote).join(',')).join('\n');
                    const folder = await folderWith({ 'u.csv': `a,b\n${body}\n` });
                    const found = await allData(await openOne(join(folder, 'u.csv'), { lists }));
                    const wanted = cells.map(([a, b]) => ({ a, b }));
                    expect(found.toSorted(byText)).toEqual(wanted.toSorted(byText));
                    expect(await readFile(join(folder, 'u.csv'), 'utf8')).toContain(body);
                },
            ),
            { numRuns: runs(30) },
        );
    });
});

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

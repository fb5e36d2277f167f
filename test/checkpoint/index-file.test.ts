import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { IndexedRow } from '../../src/model/sample-rows.js';
import { IndexFile } from '../../src/checkpoint/index/index-file.js';
import type { FileStamp } from '../../src/model/checkpoint.js';
import { tallySample } from '../../src/model/tally.js';
import { HOLDER, scratch } from './rig.js';

const stamp = (size: number): FileStamp => ({ inode: '12', size, mtime: '1763712000123456789' });

const tally = (id: string, wrong = 0) =>
    tallySample(id, [
        {
            name: 'solution',
            total: 3,
            entries: [0, 1, 2].map((index) => ({
                index,
                verdict: index < wrong ? ('WrongAnswer' as const) : ('Accepted' as const),
                nearLimit: index < wrong,
                aboveOwn: false,
                name: `submissions/${index}.cpp`,
            })),
            skipped: [],
            failed: [],
            pending: 0,
        },
    ]);

const rows: [IndexedRow, IndexedRow] = [
    { id: 'a', locator: { offset: 0, length: 9 }, groups: [['solution', 3]] as const, fingerprint: 'f1' },
    { id: 'b', locator: { offset: 9, length: 9 }, groups: [['solution', 3]] as const, fingerprint: 'f2' },
];

const rowsOf = (index: IndexFile, file: string) =>
    Array.from(
        index.datasets.get(file, stamp(3)) ?? [],
        ({ id, locator, groups, fingerprint }): IndexedRow => ({ id, locator, groups, fingerprint }),
    );

describe.each([
    ['as a whole', undefined],
    ['in pieces, as a large one is', 0],
] as const)('the index, read %s', (_, parsedAtOnce) => {
    const load: typeof IndexFile.load = (dir, shard, holder) =>
        IndexFile.load(dir, shard, holder, parsedAtOnce);

    it('gives back what was put in, and nothing else', async () => {
        const dir = scratch();
        const index = await load(dir, null, HOLDER);
        index.set('a', stamp(1), 'f1', 'key', tally('a'));
        index.set('b', stamp(2), 'f2', 'key', tally('b', 2));
        index.set('changed', stamp(4), 'f0', 'key', tally('changed'));
        index.set('elsewhere', stamp(7), 'f7', 'key', tally('elsewhere'));
        index.datasets.set('data.jsonl', stamp(3), rows);
        index.datasets.set('more.jsonl', stamp(3), [{ ...rows[0], id: 'changed', fingerprint: 'f9' }]);
        expect(await index.save()).toBe(true);
        expect(readdirSync(dir)).toEqual(['index.json']);
        const again = await load(dir, null, HOLDER);
        for (const known of [index, again]) {
            expect(known.get('a', stamp(1), 'f1', 'key')).toEqual(tally('a'));
            expect(known.get('b', stamp(2), 'f2', 'key')).toEqual(tally('b', 2));
            expect(known.get('a', stamp(9), 'f1', 'key')).toBeNull();
            expect(known.get('a', stamp(1), 'f9', 'key')).toBeNull();
            expect(known.get('a', stamp(1), 'f1', 'other')).toBeNull();
            expect(known.get('c', stamp(1), 'f1', 'key')).toBeNull();
            expect(known.get('changed', stamp(4), 'f0', 'key')).toEqual(tally('changed'));
            expect(known.get('changed', stamp(4), 'f9', 'key')).toBeNull();
            expect(known.get('elsewhere', stamp(7), 'f7', 'key')).toEqual(tally('elsewhere'));
            expect(rowsOf(known, 'data.jsonl')).toEqual(rows);
            expect(known.datasets.get('data.jsonl', stamp(4))).toBeNull();
            expect(known.datasets.get('other.jsonl', stamp(3))).toBeNull();
        }
        again.delete('a');
        expect(again.get('a', stamp(1), 'f1', 'key')).toBeNull();
        expect(await again.save()).toBe(true);
        const without = await load(dir, null, HOLDER);
        expect(without.get('a', stamp(1), 'f1', 'key')).toBeNull();
        expect(without.get('b', stamp(2), 'f2', 'key')).toEqual(tally('b', 2));
        without.set('a', stamp(5), 'f5', 'key', tally('a', 1));
        without.restamp('b', stamp(2), stamp(6));
        await without.save();
        const last = await load(dir, null, HOLDER);
        expect(last.get('a', stamp(5), 'f5', 'key')).toEqual(tally('a', 1));
        expect(last.get('b', stamp(6), 'f2', 'key')).toEqual(tally('b', 2));
    });

    it('keeps rows whose locators differ, by column or by value', async () => {
        const dir = scratch();
        const index = await load(dir, null, HOLDER);
        const groups = [['solution', 3]] as const;
        const different = [
            { id: 'a', locator: { file: 0, line: 1, as: 'x' }, groups, fingerprint: 'f1' },
            { id: 'b', locator: { file: 0, line: 2 }, groups: [], fingerprint: 'f2' },
            { id: 'c', locator: { file: 0, package: 'c' }, groups, fingerprint: 'f3' },
        ];
        index.datasets.set('data.jsonl', stamp(3), different);
        index.datasets.set('one.jsonl', stamp(3), different.slice(0, 1));
        index.datasets.set('none.jsonl', stamp(3), []);
        await index.save();
        const again = await load(dir, null, HOLDER);
        expect(rowsOf(again, 'data.jsonl')).toEqual(different);
        expect(rowsOf(again, 'one.jsonl')).toEqual(different.slice(0, 1));
        expect(rowsOf(again, 'none.jsonl')).toEqual([]);
    });

    it('vouches for a file by its stamp, whatever its row and the plan are', async () => {
        const dir = scratch();
        const limits = { time: 2, slowest: 0.5, group_fingerprint: 'g' };
        const index = await load(dir, null, HOLDER);
        index.set('a', stamp(1), 'f1', 'key', tally('a'), limits);
        index.set('b', stamp(2), 'f2', 'key', tally('b', 2));
        await index.save();
        const again = await load(dir, null, HOLDER);
        expect([...again.ids()]).toEqual(['a', 'b']);
        const figures = (id: string, of: FileStamp) => again.getFigures(id, again.findPlace(id), of);
        expect(figures('a', stamp(1))).toEqual({ tally: tally('a'), computedLimits: limits });
        expect(figures('b', stamp(2))).toEqual({ tally: tally('b', 2), computedLimits: null });
        expect(figures('a', stamp(2))).toBeNull();
        expect(again.findPlace('c')).toBe(-1);
        again.delete('a');
        expect([...again.ids()]).toEqual(['b']);
    });

    it('keeps solutions that were accepted in part', async () => {
        const dir = scratch();
        const index = await load(dir, null, HOLDER);
        const inPart = {
            index: 0,
            verdict: 'PartiallyAccepted',
            expected: ['Accepted', 'PartiallyAccepted'],
            score: 40,
            bestScore: 100,
            nearLimit: false,
            aboveOwn: false,
        } as const;
        const open = { skipped: [], failed: [], pending: 0 };
        const known = tallySample('a', [{ name: 'solution', total: 1, entries: [inPart], ...open }]);
        expect(known.groups['solution']?.inPart).toBe(1);
        index.set('a', stamp(1), 'f1', 'key', known);
        await index.save();
        const again = await load(dir, null, HOLDER);
        expect(again.get('a', stamp(1), 'f1', 'key')).toEqual(known);
    });

    it('has one file a shard', async () => {
        const dir = scratch();
        const index = await load(dir, { index: 1, count: 4 }, HOLDER);
        index.set('a', stamp(1), 'f1', 'key', tally('a'));
        await index.save();
        expect(readdirSync(dir)).toEqual(['index.1-of-4.json']);
    });

    it('is ignored when anything is wrong with it', async () => {
        const dir = scratch();
        const index = await load(dir, null, HOLDER);
        index.set('a', stamp(1), 'f1', 'key', tally('a', 1));
        index.datasets.set('data.jsonl', stamp(3), rows);
        await index.save();
        const path = join(dir, 'index.json');
        const text = readFileSync(path, 'utf8');
        const replaced = (part: string, by: string): string => {
            expect(text).toContain(part);
            return text.replace(part, by);
        };
        const broken = [
            ...Array.from({ length: text.length }, (_, length) => text.slice(0, length)),
            replaced('"version":7', '"version":6'),
            replaced('"results":{"ids":[0]', '"results":{"ids":[0,1]'),
            replaced('"results":{"ids":[0]', '"results":{"ids":[["a"]]'),
            replaced('"results":{"ids":[0]', '"results":{"ids":[1]'),
            replaced('"results":{"ids":[0]', '"results":{"ids":[2]'),
            replaced('"results":{"ids":[0]', '"results":{"ids":[-1]'),
            replaced('"results":{"ids":[0]', '"results":{"ids":["a"]'),
            replaced('"rows":[0]', '"rows":[1]'),
            replaced('"planKeys":[0]', '"planKeys":[70]'),
            replaced('"shapes":[1]', '"shapes":[-1]'),
            replaced('"WrongAnswer"', '"Perfect"'),
            replaced('"fingerprints":["f1",', '"fingerprints":['),
            replaced('"locators":{', '"locators":{"__proto__":[1],'),
            'null',
        ];
        for (const content of broken) {
            writeFileSync(path, content);
            const read = await load(dir, null, HOLDER);
            expect(read.get('a', stamp(1), 'f1', 'key')).toBeNull();
        }
    });

    it('loads what it saved of 20,000 samples', async () => {
        const dir = scratch();
        const index = await load(dir, null, HOLDER);
        const many = Array.from({ length: 20_000 }, (_, number) => ({
            id: `Codeforces/${number}/A`,
            locator: { offset: number * 1000, length: 1000 },
            groups: [['solution', 3]] as const,
            fingerprint: number.toString(16).padStart(64, '0'),
        }));
        index.datasets.set('data.jsonl', stamp(3), many);
        for (const row of many) index.set(row.id, stamp(1), row.fingerprint, 'key', tally(row.id));
        await index.save();
        const again = await load(dir, null, HOLDER);
        for (const row of many) expect(again.get(row.id, stamp(1), row.fingerprint, 'key')).not.toBeNull();
        expect(again.datasets.get('data.jsonl', stamp(3))).toHaveLength(20_000);
    });

    it('does not end a run that cannot write it', async () => {
        const dir = scratch();
        writeFileSync(join(dir, 'file'), '');
        const index = await load(join(dir, 'file'), null, HOLDER);
        index.set('a', stamp(1), 'f1', 'key', tally('a'));
        expect(await index.save()).toBe(false);
    });
});

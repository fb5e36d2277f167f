import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/util/user-error.js';
import { type Pack, packGzip, packParquet, packZstd } from '../dataset/pack.js';
import { folderWith, indexOf, jsonLines, loadAll, MemoryCache, openOne } from '../dataset/rig.js';

/** The contract of every format: `files` make a dataset of two samples, and `edit` changes the first. */
interface Format {
    readonly format: string;
    readonly files: Readonly<Record<string, string>>;
    /** Path of the dataset within the folder. */
    readonly at: string;
    /** A file that belongs to the first sample. */
    readonly edit: string;
    /** How the files are packed; unpacked if missing. */
    readonly pack?: Pack;
}

const tests = [{ input: '1', output: '2' }];
const streams = [{ input: { stdin: '1' }, output: { stdout: '2' } }];
const programs = [{ language: 'CPP', source: 'int main(){}' }];
const columns = { language: [2], solution: ['int main(){}'] };

const ROWS: Readonly<Record<string, (id: string) => unknown>> = {
    plain: (id) => ({ id, tests, solutions: programs, incorrect_solutions: [...programs, ...programs] }),
    general: (id) => ({ id, groups: { solution: [1], incorrect_solution: [2, 3] } }),
    'code-contests': (id) => ({
        id,
        public_tests: { input: ['1'], output: ['2'] },
        solutions: columns,
        incorrect_solutions: { language: [2, 2], solution: ['a', 'b'] },
    }),
    'code-contests-plus': (id) => ({
        id,
        test_cases: tests,
        correct_submissions: [{ code: 'a', language: 'cpp' }],
        incorrect_submissions: [
            { code: 'a', language: 'cpp' },
            { code: 'b', language: 'py3' },
        ],
    }),
    'common-oj': (id) => ({ id, test: streams, canonical_solution: { cpp: 'a' } }),
    'taco-apps': (id) => ({
        id,
        question: id,
        input_output: '{"inputs":["1"],"outputs":["2"]}',
        solutions: '["a"]',
    }),
    'live-code-bench': (id) => ({
        question_id: id,
        public_test_cases: JSON.stringify(tests),
        solutions: programs,
        incorrect_solutions: [...programs, ...programs],
    }),
};

const rowFormats = Object.entries(ROWS).flatMap(([format, row]): [string, Format][] => {
    const rows = [row('first'), row('second')];
    return [
        [
            `${format}, JSONL`,
            { format, files: { 'a.jsonl': jsonLines(rows) }, at: 'a.jsonl', edit: 'a.jsonl' },
        ],
        [
            `${format}, JSON array`,
            { format, files: { 'a.json': JSON.stringify(rows, null, 2) }, at: 'a.json', edit: 'a.json' },
        ],
        [
            `${format}, folder of JSON files`,
            {
                format,
                files: { 'd/1.json': JSON.stringify(rows[0]), 'd/2.json': JSON.stringify(rows[1], null, 4) },
                at: 'd',
                edit: 'd/1.json',
            },
        ],
    ];
});

/**
 * Every format as Parquet, as published on Hugging Face and elsewhere; compressed JSONL is handled the same way for all formats.
 */
const packedFormats = Object.entries(ROWS).flatMap(([format, row], i): [string, Format][] => {
    const codec = i % 2 === 0 ? 'snappy' : 'zstd';
    const packings: [string, string, Pack][] = [[`Parquet (${codec})`, 'a.parquet', packParquet(codec)]];
    if (format === 'plain')
        packings.push(['gzip', 'a.jsonl.gz', packGzip], ['Zstandard', 'a.jsonl.zst', packZstd]);
    const text = jsonLines([row('first'), row('second')]);
    return packings.map(([name, at, pack]) => [
        `${format}, ${name}`,
        { format, files: { [at]: text }, at, edit: at, pack },
    ]);
});

const kattisPackage = (name: string): Record<string, string> => ({
    [`p/${name}/problem.yaml`]: '',
    [`p/${name}/data/secret/1.in`]: '1',
    [`p/${name}/data/secret/1.ans`]: '1',
    [`p/${name}/submissions/accepted/a.py`]: '',
    [`p/${name}/submissions/wrong_answer/b.py`]: '',
    [`p/${name}/submissions/wrong_answer/c.py`]: '',
});

const FORMATS: [string, Format][] = [
    ...rowFormats,
    ...packedFormats,
    [
        'problem packages',
        {
            format: 'kattis',
            files: { ...kattisPackage('first'), ...kattisPackage('second') },
            at: 'p',
            edit: 'p/first/data/secret/1.in',
        },
    ],
];

const asItIs: Pack = async (text) => Buffer.from(text);

describe.each(FORMATS)('%s', (_, { format, files, at, edit, pack = asItIs }) => {
    const open = async (
        cache = new MemoryCache(),
    ): Promise<{ folder: string; dataset: Awaited<ReturnType<typeof openOne>> }> => {
        const packed: Record<string, Uint8Array> = {};
        for (const [name, text] of Object.entries(files)) packed[name] = await pack(text);
        const folder = await folderWith(packed);
        return { folder, dataset: await openOne(join(folder, at), { cache }) };
    };

    it('is recognised, and streams its index in order', async () => {
        const { folder, dataset } = await open();
        expect(dataset.format).toBe(format);
        expect(dataset.path).toBe(join(folder, at));
        const index = await indexOf(dataset);
        expect(index.map((each) => each.id)).toEqual(['first', 'second']);
        expect(JSON.parse(JSON.stringify(index))).toEqual(index);
        expect(await indexOf(dataset)).toEqual(index);
    });

    it('loads what its index says, in any order', async () => {
        const { dataset } = await open();
        for (const indexed of (await indexOf(dataset)).reverse()) {
            const sample = await dataset.load(indexed);
            expect(sample.id).toBe(indexed.id);
            const counts = Object.entries(sample.groups).map(([name, tasks]) => [name, tasks.length]);
            expect(counts).toEqual(indexed.groups);
            expect(sample.groups['solution']).toHaveLength(1);
            if (sample.judging !== null) expect(sample.judging.tests).toHaveLength(1);
            expect(sample.skip).toBeNull();
        }
    });

    it('uses what an earlier start learned, and reads what changed since', async () => {
        const cache = new MemoryCache();
        const { folder, dataset } = await open(cache);
        const index = await indexOf(dataset);
        expect(cache.hits).toBe(0);
        const again = await openOne(join(folder, at), { cache });
        expect(await indexOf(again)).toEqual(index);
        expect(cache.hits).toBeGreaterThan(0);
        const hits = cache.hits;
        const text = files[edit] ?? '';
        await writeFile(join(folder, edit), await pack(format === 'kattis' ? `${text}x` : `${text}\n`));
        const edited = await indexOf(await openOne(join(folder, at), { cache }));
        expect(cache.hits - hits).toBeLessThan(hits);
        expect(edited.map((each) => each.id)).toEqual(['first', 'second']);
    });

    it('refuses to load what was edited after it was indexed', async () => {
        const { folder, dataset } = await open();
        const [first] = await indexOf(dataset);
        if (first === undefined) throw new Error('no sample');
        await dataset.load(first);
        const path = join(folder, edit);
        const text = (files[edit] ?? '').replace('"1"', '"8"').replace('first', 'third');
        await writeFile(path, await pack(format === 'kattis' ? '22' : text));
        await expect(dataset.load(first)).rejects.toThrow(/changed while it was in use; start again/);
        await expect(dataset.load(first)).rejects.toBeInstanceOf(UserError);
        await truncate(path, 0);
        await expect(dataset.load(first)).rejects.toThrow(/start again/);
    });
});

describe('datasets of rows', () => {
    const row = (id: string): unknown => ROWS['plain']?.(id);

    it('refuse an id that comes twice, naming both places, over files too', async () => {
        const folder = await folderWith({
            'a.jsonl': jsonLines([row('x'), row('y')]),
            'b.jsonl': jsonLines([row('y')]),
        });
        await expect(openOne(join(folder, '*.jsonl')).then(indexOf)).rejects.toThrow(
            /b\.jsonl:1: duplicate id "y", first used at .*a\.jsonl:2/,
        );
    });

    it('refuse rows of another format than the first one, unless --format says so', async () => {
        const folder = await folderWith({ 'a.jsonl': jsonLines([row('x'), ROWS['general']?.('y')]) });
        await expect(openOne(folder).then(indexOf)).rejects.toThrow(
            /a\.jsonl:2: this row has the format general/,
        );
    });

    it('go on without bad rows where asked, list them, and remember nothing', async () => {
        const cache = new MemoryCache();
        const folder = await folderWith({
            'a.jsonl': `${JSON.stringify(row('x'))}\n{broken\n${JSON.stringify({ id: 'y', tests: [7] })}\n${JSON.stringify(row('x'))}\n[]\n${JSON.stringify(row('z'))}`,
        });
        for (let i = 0; i < 2; i += 1) {
            const dataset = await openOne(folder, { cache, skipBadRows: true });
            expect((await indexOf(dataset)).map((each) => each.id)).toEqual(['x', 'z']);
            expect(dataset.badRows.map((line) => /:(\d):/.exec(line)?.[1])).toEqual(['2', '3', '4', '5']);
        }
        expect(cache.hits).toBe(0);
    });

    it('take what a pattern matches as one dataset, and number its files by their order now', async () => {
        const cache = new MemoryCache();
        const folder = await folderWith({
            'b.jsonl': jsonLines([row('b')]),
            'c.jsonl': jsonLines([row('c')]),
        });
        await indexOf(await openOne(join(folder, '*.jsonl'), { cache }));
        await writeFile(join(folder, 'a.jsonl'), jsonLines([row('a')]));
        const samples = await loadAll(await openOne(join(folder, '*.jsonl'), { cache }));
        expect(samples.map((sample) => sample.id)).toEqual(['a', 'b', 'c']);
        expect(cache.hits).toBe(2);
    });

    it('notice a change in a file that a row names', async () => {
        const cache = new MemoryCache();
        const folder = await folderWith({
            'a.jsonl': jsonLines([{ id: 'x', tests: [], solutions: [{ language: 'CPP', path: 'a.cpp' }] }]),
            'a.cpp': 'int main(){}',
        });
        const dataset = await openOne(join(folder, 'a.jsonl'), { cache });
        const [first] = await indexOf(dataset);
        await writeFile(join(folder, 'a.cpp'), 'int main(){return 1;}');
        const [edited] = await indexOf(await openOne(join(folder, 'a.jsonl'), { cache }));
        expect(edited?.fingerprint).not.toBe(first?.fingerprint);
        if (first !== undefined) await expect(dataset.load(first)).rejects.toThrow(/start again/);
    });

    it('take ids with any signs, and refuse half characters', async () => {
        const ids = ['ü/ß 日本', 'a\r\nb', 'nul\0', '../..', '__proto__', 'x'.repeat(1000)];
        const folder = await folderWith({ 'a.jsonl': jsonLines(ids.map(row)) });
        const samples = await loadAll(await openOne(folder));
        expect(samples.map((sample) => sample.id)).toEqual(ids);
        const half = await folderWith({ 'a.jsonl': '{"id": "\\ud800", "tests": []}' });
        await expect(openOne(half).then(indexOf)).rejects.toThrow(/lone surrogates/);
    });
});

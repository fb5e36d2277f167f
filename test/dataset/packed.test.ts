import { execFile } from 'node:child_process';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ParquetDecoder } from '../../src/dataset/packed/parquet-decoder.js';
import { printRow } from '../../src/dataset/packed/print-row.js';
import { ScratchCopies } from '../../src/dataset/packed/scratch-copies.js';
import { UserError } from '../../src/util/user-error.js';
import { packGzip, packParquet, packZstd } from './pack.js';
import { sampled } from '../rig/long.js';
import { folderWith, indexOf, jsonLines, loadAll, MemoryCache, openOne, PARQUET_WORKER } from './rig.js';

const row = (id: string): unknown => ({ id, groups: { main: [{ n: id.length, text: 'é\n"' }] } });
const rows = (count: number): string => jsonLines(Array.from({ length: count }, (_, i) => row(`row-${i}`)));

describe('packed datasets', () => {
    it('give samples with the same data and the same fingerprints as plain JSONL', async () => {
        const lines = rows(3);
        const folder = await folderWith({
            'a.jsonl': lines,
            'b.jsonl.gz': await packGzip(lines),
            'c.ndjson.zst': await packZstd(lines),
            'd.parquet': await packParquet('zstd')(lines),
            stdin: await packParquet('snappy')(lines),
        });
        const plain = await loadAll(await openOne(join(folder, 'a.jsonl')));
        const index = await indexOf(await openOne(join(folder, 'a.jsonl')));
        for (const name of ['b.jsonl.gz', 'c.ndjson.zst', 'd.parquet', 'stdin']) {
            const dataset = await openOne(join(folder, name));
            expect((await loadAll(dataset)).map(({ groups }) => groups)).toEqual(
                plain.map(({ groups }) => groups),
            );
            expect((await indexOf(dataset)).map((each) => each.fingerprint)).toEqual(
                index.map((each) => each.fingerprint),
            );
        }
    });

    it('hand out several row groups in order and again in any order, with the number of the row in messages', async () => {
        const folder = await folderWith({ 'a.parquet': await packParquet('snappy', 2048)(rows(5000)) });
        const dataset = await openOne(join(folder, 'a.parquet'));
        const index = await indexOf(dataset);
        expect(index.map(({ id }) => id)).toEqual(Array.from({ length: 5000 }, (_, i) => `row-${i}`));
        expect(new Set(index.map(({ locator }) => locator['part']))).toEqual(new Set([0, 1, 2]));
        const picked = [4999, 0, 2048, 2047, 4096, 1, 4095].map((i) => index[i]);
        const samples = await Promise.all(
            picked.map(async (each) => (each === undefined ? null : dataset.load(each))),
        );
        expect(samples.map((sample) => sample?.id)).toEqual(picked.map((each) => each?.id));
        expect(samples[2]?.origin).toMatch(/a\.parquet:2049$/);
    });

    it('with a row group that is too large to be decoded at once are refused at the start, in one line', async () => {
        const folder = await folderWith({ 'a.parquet': await packParquet('snappy', 2048)(rows(5000)) });
        const file = join(folder, 'a.parquet');
        const decoder = new ParquetDecoder(PARQUET_WORKER, 100);
        try {
            await expect(decoder.describe(file)).rejects.toMatchObject({
                exitCode: 2,
                message: expect.stringMatching(
                    /a\.parquet: row group 0 holds [\d.]+ MiB and at most [\d.]+ MiB are read at once; write the file again with smaller row groups[^;]*$/,
                ),
            });
        } finally {
            await decoder.close();
        }
    });

    it('resume from what an earlier start indexed, without reading the file', async () => {
        const cache = new MemoryCache();
        const folder = await folderWith({ 'a.jsonl.gz': await packGzip(rows(2)) });
        const index = await indexOf(await openOne(join(folder, 'a.jsonl.gz'), { cache }));
        const again = await openOne(join(folder, 'a.jsonl.gz'), { cache });
        expect(await indexOf(again)).toEqual(index);
        expect(cache.hits).toBe(1);
        const [, second] = index;
        if (second !== undefined) expect((await again.load(second)).id).toBe('row-1');
    });

    it('are lists too, with their rows spread over samples as those of JSONL are', async () => {
        const lines = jsonLines(Array.from({ length: 50 }, (_, i) => ({ url: `http://x/${i}` })));
        const folder = await folderWith({
            'a.jsonl.gz': await packGzip(lines),
            'a.parquet': await packParquet('zstd')(lines),
        });
        const lists = { accepted: true, rowsPerSample: 10 };
        const [zipped, columns] = await Promise.all(
            ['a.jsonl.gz', 'a.parquet'].map(async (name) =>
                loadAll(await openOne(join(folder, name), { lists })),
            ),
        );
        expect(zipped?.length).toBeGreaterThan(2);
        const data = (samples: typeof zipped): unknown => samples?.map(({ groups }) => groups);
        expect(data(columns)).toEqual(data(zipped));
    });

    it('that are torn anywhere give one line and exit 2', async () => {
        const lines = rows(40);
        const whole = {
            'a.jsonl.gz': await packGzip(lines),
            'a.jsonl.zst': await packZstd(lines),
            'a.parquet': await packParquet('snappy')(lines),
        };
        for (const [name, bytes] of Object.entries(whole)) {
            const folder = await folderWith({ [name]: bytes });
            for (const length of [1, 7, Math.floor(bytes.length / 2), bytes.length - 9, bytes.length - 1]) {
                await writeFile(join(folder, name), bytes);
                await truncate(join(folder, name), length);
                const reading = openOne(join(folder, name)).then(indexOf);
                await expect(reading, `${name} of ${length}`).rejects.toBeInstanceOf(UserError);
                await expect(reading).rejects.toMatchObject({
                    exitCode: 2,
                    message: expect.stringMatching(/^[^\n]*a\.\S+: .*is the file complete\?$/),
                });
            }
        }
    });

    it('that are damaged in the middle give one line, and never another value', async () => {
        const bytes = await packParquet('zstd')(rows(40));
        const places = Array.from({ length: 25 }, (_, i) => 8 + i * Math.ceil(bytes.length / 25));
        for (const at of sampled(places, 8).filter((place) => place < bytes.length - 8)) {
            const damaged = Buffer.from(bytes);
            damaged.fill(0xff, at, at + 4);
            const folder = await folderWith({ 'a.parquet': damaged });
            const found = await openOne(join(folder, 'a.parquet'))
                .then(indexOf)
                .catch((error: unknown) => error);
            if (!Array.isArray(found)) expect(found).toBeInstanceOf(UserError);
        }
    });

    it('other than JSONL are refused compressed', async () => {
        const folder = await folderWith({ 'a.csv.gz': gzipSync('a,b\n1,2\n') });
        await expect(openOne(join(folder, 'a.csv.gz'))).rejects.toThrow(/only JSONL may be compressed/);
    });

    it('keep the digits of 64-bit integers, and make JSON of everything else', () => {
        expect(
            printRow({
                big: 9007199254740993n,
                small: 7n,
                day: new Date(Date.UTC(2026, 0, 2)),
                bytes: new Uint8Array([1, 2]),
                list: [1.5, Number.NaN, null, undefined],
                numbers: new Int32Array([1, 2]),
                __proto__: null,
                nested: { yes: true },
            }),
        ).toBe(
            '{"big":9007199254740993,"small":7,"day":"2026-01-02T00:00:00.000Z","bytes":"AQI=","list":[1.5,null,null,null],"numbers":[1,2],"nested":{"yes":true}}',
        );
    });
});

describe('scratch copies', () => {
    it('are at most two, made once while they are in use, and open handles outlive them', async () => {
        const folder = await folderWith({});
        const copies = new ScratchCopies(async () => folder);
        const made: string[] = [];
        const open = async (key: string): Promise<string> => {
            const handle = await copies.open(key, async (path) => {
                made.push(key);
                await writeFile(path, key);
            });
            try {
                return await handle.readFile('utf8');
            } finally {
                await handle.close();
            }
        };
        const keys = ['a', 'b', 'a', 'c', 'a', 'd', 'd'];
        expect(await Promise.all(keys.map(open))).toEqual(keys);
        expect(made).toEqual(['a', 'b', 'c', 'd']);
        const { readdir } = await import('node:fs/promises');
        expect(await readdir(folder)).toHaveLength(2);
        await expect(copies.open('e', () => Promise.reject(new Error('no room')))).rejects.toThrow('no room');
        expect(await open('a')).toBe('a');
    });
});

const PYTHON = process.env['RESUME_RUN_TEST_PYTHON'];

/** What Hugging Face's own writer produces for each dataset's published features, with small row groups. */
const PUBLISHED = `
import sys, json, pyarrow as pa, pyarrow.parquet as pq
folder = sys.argv[1]
columns = lambda kind: pa.struct([("language", pa.list_(pa.int64())), ("solution", pa.list_(pa.string()))])
tests = pa.struct([("input", pa.list_(pa.string())), ("output", pa.list_(pa.string()))])
contests = pa.schema([("name", pa.string()), ("description", pa.string()), ("public_tests", tests), ("private_tests", tests),
    ("generated_tests", tests), ("source", pa.int64()), ("difficulty", pa.int64()), ("solutions", columns(0)), ("incorrect_solutions", columns(0)),
    ("cf_contest_id", pa.int64()), ("cf_index", pa.string()), ("cf_points", pa.float32()), ("cf_rating", pa.int32()), ("cf_tags", pa.list_(pa.string())),
    ("is_description_translated", pa.bool_()), ("time_limit", pa.struct([("seconds", pa.int64()), ("nanos", pa.int64())])),
    ("memory_limit_bytes", pa.int64()), ("input_file", pa.string()), ("output_file", pa.string())])
pair = {"input": ["1\\n"], "output": ["2\\n"]}
none = {"input": [], "output": []}
contest = lambda n: {"name": f"{n}_A. Sum", "description": "", "public_tests": pair, "private_tests": none, "generated_tests": pair, "source": 2, "difficulty": 7,
    "solutions": {"language": [3, 2], "solution": ["print(2)", "int main(){}"]}, "incorrect_solutions": {"language": [4], "solution": ["class A{}"]},
    "cf_contest_id": n, "cf_index": "A", "cf_points": 500.0, "cf_rating": 800, "cf_tags": ["math"], "is_description_translated": False,
    "time_limit": None if n % 2 else {"seconds": 2, "nanos": 500000000}, "memory_limit_bytes": 256000000, "input_file": "", "output_file": ""}
pq.write_table(pa.Table.from_pylist([contest(n) for n in range(1, 8)], contests), folder + "/code_contests.parquet", compression="snappy", row_group_size=3)
submissions = pa.list_(pa.struct([("code", pa.string()), ("language", pa.string())]))
plus = pa.schema([("source", pa.string()), ("id", pa.string()), ("title", pa.string()), ("time_limit", pa.int64()), ("memory_limit", pa.int64()), ("checker", pa.string()),
    ("correct_submissions", submissions), ("incorrect_submissions", submissions), ("test_cases", pa.list_(pa.struct([("input", pa.string()), ("output", pa.string())]))),
    ("true_positive_rate", pa.float64())])
pq.write_table(pa.Table.from_pylist([{"source": "Codeforces", "id": f"{n}_A", "title": "t", "time_limit": 2000, "memory_limit": 256, "checker": "int main(){}",
    "correct_submissions": [{"code": "c", "language": "cpp"}], "incorrect_submissions": [{"code": "d", "language": "py3"}] * 2,
    "test_cases": [{"input": "1", "output": "2"}], "true_positive_rate": 1.0} for n in range(5)], plus), folder + "/plus.parquet", compression="zstd", row_group_size=2)
io = json.dumps({"inputs": ["1"], "outputs": ["2"]})
pq.write_table(pa.table({"question": ["q1", "q2"], "solutions": ['["print(2)"]'] * 2, "input_output": [io] * 2, "difficulty": ["EASY"] * 2, "time_limit": ["2.0 seconds", None]}),
    folder + "/taco.parquet", compression="zstd", data_page_version="2.0")
pq.write_table(pa.table({"problem_id": [9007199254740993, 2], "question": ["q"] * 2, "solutions": ['["a"]'] * 2, "input_output": [io, ""], "starter_code": [""] * 2}),
    folder + "/apps.parquet", compression="snappy")
import datetime
pq.write_table(pa.table({"question_id": ["a", "b"], "platform": ["x"] * 2, "contest_date": [datetime.datetime(2024, 1, 1)] * 2, "metadata": ["{}"] * 2,
    "public_test_cases": [json.dumps([{"input": "1", "output": "2", "testtype": "stdin"}])] * 2, "private_test_cases": ["[]"] * 2}),
    folder + "/lcb.parquet", compression="gzip", use_dictionary=False)
`;

describe('Parquet files as pyarrow writes them', () => {
    it.runIf(PYTHON !== undefined)('are read in each published shape', async () => {
        const folder = await folderWith({});
        await promisify(execFile)(PYTHON ?? '', ['-c', PUBLISHED, folder]);
        const load = async (
            name: string,
        ): Promise<{ format: string; samples: Awaited<ReturnType<typeof loadAll>> }> => {
            const dataset = await openOne(join(folder, name));
            return { format: dataset.format, samples: await loadAll(dataset) };
        };
        const contests = await load('code_contests.parquet');
        expect(contests.format).toBe('code-contests');
        expect(contests.samples.map(({ id }) => id)).toEqual(
            [1, 2, 3, 4, 5, 6, 7].map((n) => `Codeforces/${n}/A`),
        );
        const [first, second] = contests.samples;
        expect(first?.groups['solution']?.map((task) => task.kind === 'program' && task.language)).toEqual([
            'PYTHON3',
            'CPP',
        ]);
        expect(first?.judging?.tests.map(({ name }) => name)).toEqual(['public-1', 'generated-1']);
        expect([first?.judging?.limits.time, second?.judging?.limits.time]).toEqual([null, 2.5]);
        const plus = await load('plus.parquet');
        expect(plus.format).toBe('code-contests-plus');
        expect(plus.samples.map(({ groups }) => groups['incorrect_solution']?.length)).toEqual([
            2, 2, 2, 2, 2,
        ]);
        expect((await load('taco.parquet')).samples.map(({ judging }) => judging?.limits.time)).toEqual([
            2,
            null,
        ]);
        expect((await load('apps.parquet')).samples.map(({ id }) => id)).toEqual(['9007199254740993', '2']);
        const lcb = await load('lcb.parquet');
        expect(lcb.samples.map(({ judging }) => judging?.tests.length)).toEqual([1, 1]);
        expect((await readFile(join(folder, 'lcb.parquet'))).subarray(0, 4).toString()).toBe('PAR1');
    });
    if (PYTHON === undefined)
        console.log(
            'skipped: Parquet as pyarrow writes it (RESUME_RUN_TEST_PYTHON names a Python with pyarrow)',
        );
});

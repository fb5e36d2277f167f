import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
    type Bench,
    type Figure,
    grouped,
    type Measurement,
    interleaved,
    median,
    medianRatio,
    megabytes,
    perSecond,
    seconds,
    times,
} from '../bench.js';
import { writeModule, writeTasks } from '../datasets.js';
import { type Timed } from '../stopwatch.js';
import { realPython, say } from '../tools.js';

const RECORDS = 1_000_000;
const BATCH = 1000;
const WRITERS = 17;
const RESULTS = 66;
const FILES = 20_000;

/** The results database: what was collected, how fast, and what queries cost. */
export const database: Measurement = {
    key: 'g',
    about: 'the results database: collecting, joining and asking; against DuckDB, pandas and reading every file',
    measure: async (bench) => [
        ...(await collectMany(bench)),
        ...(await manyWriters(bench)),
        ...(await askFiles(bench)),
    ],
};

const wall = (timed: Timed): number => timed.wall;
const peakOf = (timed: readonly Timed[]): string => megabytes(median(timed.map(({ peak }) => peak)));

/** Collect, compact and query, against DuckDB's own COPY of the same records. */
async function collectMany({ stopwatch, folder, repetitions, scale }: Bench): Promise<readonly Figure[]> {
    const count = Math.ceil(RECORDS * scale);
    const { lines, spool } = await writeRecords(folder, count);
    const duck = await writeModule(folder, 'copy', copySource(lines, join(folder, 'copied.parquet')));
    const node = [process.execPath, duck] as const;
    const started = {
        collect: [] as Timed[],
        compact: [] as Timed[],
        query: [] as Timed[],
        copy: [] as Timed[],
    };
    for (let round = 0; round < repetitions; round += 1) {
        await rm(join(folder, 'database'), { recursive: true, force: true });
        const run = (args: readonly string[]): Promise<Timed> => stopwatch.resumeRun(args, { cwd: folder });
        started.collect.push(await run(['collect', '--storage', 'parquet', '--temp-dir', spool]));
        await putBack(spool);
        started.compact.push(await run(['database', 'compact']));
        const sql = 'select model, count(*), avg(wall_time) from records group by model';
        started.query.push(await run(['analyze', '--database', 'database', '--sql', sql]));
        started.copy.push(await stopwatch.time({ argv: node, cwd: folder }));
    }
    const figure = (what: string, product: readonly Timed[], goal: string): Figure => {
        const ratio = medianRatio(product, started.copy, wall);
        return {
            what,
            product: `${perSecond(count, median(product.map(wall)))}, ${peakOf(product)}`,
            baseline: `${perSecond(count, median(started.copy.map(wall)))}, ${peakOf(started.copy)}`,
            ratio: `${times(ratio)} the time`,
            goal,
            met: goal === '' ? null : ratio <= 2,
        };
    };
    return [
        figure(
            `${grouped(count)} records collected, against DuckDB's COPY of the same JSONL`,
            started.collect,
            '< 2 x',
        ),
        figure('the same joined into large parts', started.compact, ''),
        figure('one question of them', started.query, ''),
    ];
}

/** Makes collected batches pending again. */
async function putBack(spool: string): Promise<void> {
    const retired = join(spool, 'retired');
    for (const name of await readdir(retired)) await rename(join(retired, name), join(spool, name));
}

/** Writes batches as runs spool them, and the same records as JSON lines. */
async function writeRecords(folder: string, count: number): Promise<{ lines: string; spool: string }> {
    const spool = join(folder, 'spool');
    const lines = join(folder, 'records.jsonl');
    await mkdir(spool, { recursive: true });
    const stream = createWriteStream(lines);
    for (let from = 0; from < count; from += BATCH) {
        const texts = Array.from({ length: Math.min(BATCH, count - from) }, (_, at) => recordText(from + at));
        if (!stream.write(`${texts.join('\n')}\n`)) await once(stream, 'drain');
        const changes = texts.map((text) => `{"record":${text}}`).join(',\n');
        const batch = `{"format":"resume-run batch","version":1,"count":${texts.length},"changes":[\n${changes}\n]}\n`;
        await writeFile(join(spool, `run_1_${from}_0.json`), batch);
    }
    stream.end();
    await once(stream, 'close');
    return { lines, spool };
}

function recordText(at: number): string {
    const second = 1_700_000_000_000 + at * 1000;
    return JSON.stringify({
        version: 1,
        run: 'bench',
        sample: `sample-${Math.floor(at / 10)}`,
        group: 'solution',
        fingerprint: `v1-sha256-${at.toString(16).padStart(32, '0')}`,
        occurrence: 0,
        revision: 1,
        index: at % 10,
        verdict: at % 3 === 0 ? 'WrongAnswer' : 'Accepted',
        accepted: at % 3 !== 0,
        success_level: at % 3 === 0 ? 'failure' : 'full',
        wall_time: (at % 1000) / 100,
        memory: at * 16,
        attempts: 1,
        language: 'PYTHON3',
        model: `model-${at % 8}`,
        prompt_type: 'optimal',
        tool_success_rate: 0.8,
        difficulty: 'easy',
        task_type: 'simple_task',
        worker: `T${at % 16}`,
        started_at: new Date(second).toISOString(),
        finished_at: new Date(second + 900).toISOString(),
    });
}

const copySource = (lines: string, target: string): string => `
import { createRequire } from 'node:module';
const { DuckDBInstance } = createRequire(${JSON.stringify(import.meta.url)})('@duckdb/node-api');
const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
const connection = await instance.connect();
await connection.run("COPY (SELECT * FROM read_json('${lines}', format = 'newline_delimited')) TO '${target}' (FORMAT parquet, COMPRESSION zstd)");
`;

const SPOOLER = fileURLToPath(new URL('../../../bench/baseline/spool-writer.mjs', import.meta.url));

/**
 * Many processes that save results one at a time: a spool and its collector, against a single JSON file that all of them rewrite.
 */
async function manyWriters({ stopwatch, folder, repetitions, scale }: Bench): Promise<readonly Figure[]> {
    const python = process.env['RESUME_RUN_TEST_PYTHON'] ?? (await realPython(false));
    const writer = join(folder, 'writer.py');
    await writeFile(writer, PANDAS);
    const results = Math.ceil(RESULTS * scale);
    const expected = WRITERS * results;
    const kept = { product: [] as number[], pandas: [] as number[] };
    if (python === null || !(await hasPandas(stopwatch, python, folder))) {
        say('no figure for many writers: python3 has no pandas (RESUME_RUN_TEST_PYTHON names one)');
        return [];
    }
    const sides = await interleaved<'product' | 'pandas', number>(repetitions, {
        product: async () => {
            for (const name of ['temp_results', 'database'])
                await rm(join(folder, name), { recursive: true, force: true });
            const argv = [process.execPath, SPOOLER, join(folder, 'temp_results'), String(results)] as const;
            const spooled = await stopwatch.time({ argv, cwd: folder, runs: WRITERS, atOnce: WRITERS });
            const collected = await stopwatch.resumeRun(['collect', '--json'], { cwd: folder });
            const manifest = JSON.parse(await readFile(join(folder, 'database/manifest.json'), 'utf8')) as {
                readonly parts: readonly { readonly records: number }[];
            };
            kept.product.push(manifest.parts.reduce((sum, { records }) => sum + records, 0));
            return spooled.wall + collected.wall;
        },
        pandas: async () => {
            await writeFile(join(folder, 'all.json'), '[]');
            const argv = [python, writer, String(results)] as const;
            const timed = await stopwatch.time({ argv, cwd: folder, runs: WRITERS, atOnce: WRITERS });
            const text = await readFile(join(folder, 'all.json'), 'utf8');
            kept.pandas.push(countRows(text));
            return timed.wall;
        },
    });
    const shown = (side: readonly number[], took: readonly number[]): string =>
        `${grouped(median(side))} of ${grouped(expected)} kept, ${seconds(median(took))}`;
    return [
        {
            what: `${WRITERS} writers of ${results} results each`,
            product: shown(kept.product, sides.product),
            baseline: `${shown(kept.pandas, sides.pandas)} (pandas, one JSON file)`,
            ratio: `${times(medianRatio(sides.product, sides.pandas, (took) => took))} the time`,
            goal: 'all kept',
            met: kept.product.every((count) => count === expected),
        },
    ];
}

function countRows(text: string): number {
    try {
        const rows: unknown = JSON.parse(text);
        return Array.isArray(rows) ? rows.length : 0;
    } catch {
        // Torn by another writer: none of it can be read any more.
        return 0;
    }
}

async function hasPandas(stopwatch: Bench['stopwatch'], python: string, cwd: string): Promise<boolean> {
    return stopwatch.time({ argv: [python, '-c', 'import pandas'], cwd }).then(
        () => true,
        () => false,
    );
}

const PANDAS = `
import sys, os, io, pandas
for n in range(int(sys.argv[1])):
    try:
        rows = pandas.read_json("all.json", orient="records")
    except ValueError:
        rows = pandas.DataFrame()
    row = pandas.DataFrame([{"task_id": f"{os.getpid()}-{n}", "success": True, "execution_time": n}])
    pandas.concat([rows, row]).to_json("all.json", orient="records")
`;

/** A query over result files with no database made beforehand, against a program that reads each file. */
async function askFiles({ stopwatch, folder, repetitions, scale }: Bench): Promise<readonly Figure[]> {
    const samples = Math.ceil(FILES * scale);
    const dataset = await writeTasks(folder, samples, 1);
    const module = await writeModule(folder, 'noop', 'export default () => ({ accepted: true });\n');
    const naive = await writeModule(folder, 'read-all', READ_ALL);
    await stopwatch.resumeRun([dataset, '-q', '--executor', 'module', '--module', module], { cwd: folder });
    const { product, baseline } = await interleaved<'product' | 'baseline', Timed>(repetitions, {
        product: () => stopwatch.resumeRun(['analyze', '--dir', 'results', '--json'], { cwd: folder }),
        baseline: () => stopwatch.time({ argv: [process.execPath, naive], cwd: folder }),
    });
    const ratio = medianRatio(product, baseline, wall);
    return [
        {
            what: `success rates of ${grouped(samples)} result files`,
            product: `${seconds(median(product.map(wall)))}, ${peakOf(product)}`,
            baseline: `${seconds(median(baseline.map(wall)))}, ${peakOf(baseline)}, reading all`,
            ratio: `${times(ratio)} the time`,
            goal: '< 1.5 x',
            met: ratio <= 1.5,
        },
    ];
}

const READ_ALL = `import { readdirSync, readFileSync } from 'node:fs';
let [accepted, all] = [0, 0];
for (const name of readdirSync('results')) {
    if (!name.endsWith('.json')) continue;
    for (const entry of JSON.parse(readFileSync('results/' + name, 'utf8')).iteration_result ?? []) {
        all += 1;
        if (entry.accepted === true) accepted += 1;
    }
}
console.log(accepted, all);
`;

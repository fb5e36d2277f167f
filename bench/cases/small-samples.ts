import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
    type Bench,
    type Figure,
    grouped,
    interleaved,
    type Measurement,
    median,
    medianRatio,
    megabytes,
    percent,
    perSecond,
    seconds,
    times,
} from '../bench.js';
import { writeModule, writeTasks } from '../datasets.js';
import { CLI, type Timed } from '../stopwatch.js';

const DURABLE_LOOP = fileURLToPath(new URL('../baseline/durable-loop.js', import.meta.url));
const PARSE_ROWS = fileURLToPath(new URL('../baseline/parse-rows.js', import.meta.url));

/** Files in flight in the bare loop, and concurrent tasks. */
const AT_ONCE = 16;
/** Approximate bytes of a result file with one and with ten such tasks. */
const FILE_BYTES = { 1: 700, 10: 5200 };
/** The fewest samples to commit: with fewer, the start would dominate. */
const FEWEST = 5000;
/** Limit for the CPU seconds per sample. */
const MOST_CPU = 0.0008;
/** Memory limit for a dry run and a restart, in bytes. */
const MOST_FOR_ROWS = 300e6;
const MOST_FOR_RESTART = 500e6;

/** The cost of a small sample: committed, planned, and found finished. Whole processes on all sides. */
export const smallSamples: Measurement = {
    key: 's',
    about: 'many small samples: committed durably, planned, found finished; against a bare durable loop, and reading and parsing the rows',
    measure: measureSmallSamples,
};

async function measureSmallSamples(bench: Bench): Promise<readonly Figure[]> {
    const figures: Figure[] = [];
    for (const tasks of [1, 10] as const) figures.push(await commitSamples(bench, tasks));
    const sizes = [100_000, 1_000_000].map((rows) => Math.ceil(rows * bench.scale));
    for (const rows of sizes) figures.push(await planRows(bench, rows), await startFirst(bench, rows));
    figures.push(...(await restart(bench, sizes)));
    return figures;
}

/** On its first call, records the CPU seconds and peak bytes of its process. */
const NOTE_FIRST = `
import { writeFileSync } from 'node:fs';
let isFirst = true;
export default () => {
    if (isFirst) {
        const { user, system } = process.cpuUsage();
        const cpu = (user + system) / 1e6;
        writeFileSync('first-task.json', JSON.stringify({ cpu, peak: process.resourceUsage().maxRSS * 1024 }));
    }
    isFirst = false;
    return { accepted: true };
};
`;

const wall = (timed: Timed): number => timed.wall;
const cpu = (timed: Timed): number => timed.cpu;
const peakOf = (timed: readonly Timed[]): number => median(timed.map(({ peak }) => peak));

const writeNoop = (folder: string): Promise<string> =>
    writeModule(folder, 'noop', 'export default () => ({ accepted: true });\n');

async function commitSamples(
    { stopwatch, folder, repetitions, scale }: Bench,
    tasks: keyof typeof FILE_BYTES,
): Promise<Figure> {
    const samples = Math.max(FEWEST, Math.ceil(10_000 * scale));
    const dataset = await writeTasks(folder, samples, tasks);
    const module = await writeNoop(folder);
    const run = ['--mode', 'async', '-j', String(AT_ONCE), '-q', '--executor', 'module', '--module', module];
    const loop = [String(samples), String(AT_ONCE), String(FILE_BYTES[tasks])];
    const { product, baseline } = await interleaved<'product' | 'baseline', Timed>(repetitions, {
        product: (round) =>
            stopwatch.resumeRun([dataset, '--dir', `results-${tasks}-${round}`, ...run], { cwd: folder }),
        baseline: (round) =>
            stopwatch.time({
                argv: [process.execPath, DURABLE_LOOP, `loop-${tasks}-${round}`, ...loop],
                cwd: folder,
            }),
    });
    const ratio = medianRatio(baseline, product, wall);
    const each = median(product.map(cpu)) / samples;
    return {
        what: `${grouped(samples)} samples of ${tasks === 1 ? 'one no-op task' : `${tasks} no-op tasks`}`,
        product: `${perSecond(samples, median(product.map(wall)))}, ${milliseconds(each)} CPU each`,
        baseline: `${perSecond(samples, median(baseline.map(wall)))}, ${milliseconds(median(baseline.map(cpu)) / samples)} CPU each, open, write, fsync, rename, ${AT_ONCE} in flight`,
        ratio: `${percent(ratio)} of the loop`,
        goal: '>= 60 %, <= 0.8 ms CPU',
        met: ratio >= 0.6 && each <= MOST_CPU,
        headline: tasks === 1,
    };
}

async function planRows({ stopwatch, folder, repetitions }: Bench, rows: number): Promise<Figure> {
    const dataset = await writeTasks(folder, rows, 1);
    const module = await writeNoop(folder);
    const { product, baseline } = await interleaved<'product' | 'baseline', Timed>(repetitions, {
        product: () =>
            stopwatch.resumeRun(
                [dataset, '--dir', 'planned', '--dry-run', '--executor', 'module', '--module', module],
                { cwd: folder },
            ),
        baseline: () => stopwatch.time({ argv: [process.execPath, PARSE_ROWS, dataset], cwd: folder }),
    });
    const ratio = medianRatio(product, baseline, cpu);
    const peak = peakOf(product);
    return {
        what: `first --dry-run over ${grouped(rows)} rows`,
        product: `${seconds(median(product.map(cpu)))} CPU, ${megabytes(peak)}`,
        baseline: `${seconds(median(baseline.map(cpu)))} CPU, reading and parsing them`,
        ratio: `${times(ratio)} the CPU`,
        goal: '<= 4 x, < 300 MB',
        met: ratio <= 4 && peak < MOST_FOR_ROWS,
    };
}

/** What a first start has used by the time its first task begins, as recorded by the task itself. */
async function startFirst({ stopwatch, folder, repetitions }: Bench, rows: number): Promise<Figure> {
    const dataset = await writeTasks(folder, rows, 1);
    const module = await writeModule(folder, 'first', NOTE_FIRST);
    const sides = await interleaved<'product' | 'baseline', { readonly cpu: number; readonly peak: number }>(
        repetitions,
        {
            product: async (round) => {
                const dir = `first-${rows}-${round}`;
                const run = ['--mode', 'async', '-q', '--executor', 'module', '--module', module];
                const start = [process.execPath, CLI, dataset, '--dir', dir, ...run, '--stop-after', '1'];
                // A run that was stopped with work left exits with 1.
                await stopwatch.time({
                    argv: ['/bin/sh', '-c', '"$@" || [ $? = 1 ]', 'sh', ...start],
                    cwd: folder,
                });
                return JSON.parse(await readFile(join(folder, 'first-task.json'), 'utf8'));
            },
            baseline: () => stopwatch.time({ argv: [process.execPath, PARSE_ROWS, dataset], cwd: folder }),
        },
    );
    const ratio = medianRatio(sides.product, sides.baseline, (side) => side.cpu);
    const peak = median(sides.product.map((side) => side.peak));
    return {
        what: `a first start over ${grouped(rows)} rows, until its first task`,
        product: `${seconds(median(sides.product.map((side) => side.cpu)))} CPU, ${megabytes(peak)}`,
        baseline: `${seconds(median(sides.baseline.map((side) => side.cpu)))} CPU, reading and parsing them`,
        ratio: `${times(ratio)} the CPU`,
        goal: '<= 4 x, < 300 MB',
        met: ratio <= 4 && peak < MOST_FOR_ROWS,
    };
}

/** Starts that find everything finished, over directories of both sizes: time should grow with the number of samples. */
async function restart(
    { stopwatch, folder, repetitions }: Bench,
    [few = 0, many = 0]: readonly number[],
): Promise<readonly Figure[]> {
    const module = await writeNoop(folder);
    for (const samples of [few, many]) {
        const dataset = await writeTasks(folder, samples, 1);
        await stopwatch.resumeRun(
            [dataset, '--dir', `finished-${samples}`, '-q', '--executor', 'module', '--module', module],
            { cwd: folder },
        );
    }
    const start = (samples: number) => (): Promise<Timed> =>
        stopwatch.resumeRun(['--dir', `finished-${samples}`, '-q'], { cwd: folder });
    const { small, large } = await interleaved<'small' | 'large', Timed>(repetitions, {
        small: start(few),
        large: start(many),
    });
    const ratio = medianRatio(large, small, cpu);
    const peak = peakOf(large);
    return [
        {
            what: `a restart over ${grouped(many)} finished samples`,
            product: `${seconds(median(large.map(cpu)))} CPU, ${megabytes(peak)}`,
            baseline: `${seconds(median(small.map(cpu)))} CPU, ${megabytes(peakOf(small))}, ${grouped(few)} finished samples`,
            ratio: `${times(ratio)} the CPU for ${times(many / few)} the samples`,
            goal: 'linear, < 500 MB',
            met: ratio <= (many / few) * 1.1 && peak < MOST_FOR_RESTART,
        },
    ];
}

const milliseconds = (value: number): string => `${(value * 1000).toFixed(2)} ms`;

import { fileURLToPath } from 'node:url';
import {
    type Bench,
    type Figure,
    interleaved,
    type Measurement,
    median,
    medianRatio,
    percent,
    perSecond,
} from '../bench.js';
import { writeModule, writeTasks } from '../datasets.js';
import type { Timed } from '../stopwatch.js';

const RAW = fileURLToPath(new URL('../baseline/piscina-loop.js', import.meta.url));

/** No-op tasks, committed durably, against round trips through the bare thread pool. Whole processes on both sides. */
export const moduleTasks: Measurement = {
    key: 'a',
    about: 'no-op `module` tasks, 200 a sample, each committed durably; against raw piscina round trips',
    measure: measureModuleTasks,
};

const A_SAMPLE = 200;

async function measureModuleTasks(bench: Bench): Promise<readonly Figure[]> {
    const { stopwatch, folder, concurrency } = bench;
    const samples = Math.ceil(500 * bench.scale);
    const tasks = samples * A_SAMPLE;
    const dataset = await writeTasks(folder, samples, A_SAMPLE);
    const module = await writeModule(folder, 'noop', 'export default () => ({ accepted: true });\n');
    const { product, baseline } = await interleaved<'product' | 'baseline', Timed>(bench.repetitions, {
        product: (round) =>
            stopwatch.resumeRun(
                [dataset, '--dir', `results-${round}`, '-j', String(concurrency), '-q'].concat(
                    '--executor',
                    'module',
                    '--module',
                    module,
                ),
                { cwd: folder },
            ),
        baseline: () =>
            stopwatch.time({
                argv: [process.execPath, RAW, String(tasks), String(concurrency)],
                cwd: folder,
            }),
    });
    const wall = (timed: Timed): number => timed.wall;
    const ratio = medianRatio(baseline, product, wall);
    return [
        {
            what: `${tasks.toLocaleString('en-US')} no-op tasks, 200 a sample`,
            product: perSecond(tasks, median(product.map(wall))),
            baseline: `${perSecond(tasks, median(baseline.map(wall)))} raw piscina, 64 in flight`,
            ratio: percent(ratio),
            goal: '>= 50 %',
            met: ratio >= 0.5,
            headline: true,
        },
    ];
}

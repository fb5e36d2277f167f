import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
    type Bench,
    type Figure,
    interleaved,
    type Measurement,
    median,
    medianRatio,
    times,
} from '../bench.js';
import { writeTasks } from '../datasets.js';
import type { Timed } from '../stopwatch.js';
import { isInstalled, say } from '../tools.js';

/** `--executor exec -- true` against GNU parallel with its own resume log. Whole processes on both sides. */
export const execTasks: Measurement = {
    key: 'b',
    about: '`--executor exec -- true`; against GNU parallel with `--joblog`',
    measure: measureExecTasks,
};

const A_SAMPLE = 200;

async function measureExecTasks(bench: Bench): Promise<readonly Figure[]> {
    if (!(await isInstalled('parallel'))) {
        say('b: left out, GNU parallel is not installed');
        return [];
    }
    const { stopwatch, folder, concurrency } = bench;
    const samples = Math.ceil(50 * bench.scale);
    const tasks = samples * A_SAMPLE;
    const dataset = await writeTasks(folder, samples, A_SAMPLE);
    const list = join(folder, 'list.txt');
    await writeFile(list, Array.from({ length: tasks }, (_, n) => `${n}\n`).join(''));
    const at = String(concurrency);
    const { product, baseline } = await interleaved<'product' | 'baseline', Timed>(bench.repetitions, {
        product: (round) =>
            stopwatch.resumeRun(
                [dataset, '--dir', `results-${round}`, '-j', at, '-q', '--executor', 'exec', '--', 'true'],
                { cwd: folder },
            ),
        baseline: (round) =>
            stopwatch.time({
                argv: ['parallel', '--will-cite', '-j', at, '--joblog', join(folder, `log-${round}`), 'true'],
                cwd: folder,
                stdin: list,
            }),
    });
    const wall = (timed: Timed): number => timed.wall;
    const milliseconds = (all: readonly Timed[]): string =>
        `${((1000 * median(all.map(wall))) / tasks).toFixed(2)} ms a task`;
    const ratio = medianRatio(baseline, product, wall);
    return [
        {
            what: `${tasks.toLocaleString('en-US')} times \`true\``,
            product: milliseconds(product),
            baseline: `${milliseconds(baseline)}, GNU parallel`,
            ratio: `${times(ratio)} faster`,
            goal: '>= 3 x',
            met: ratio >= 3,
            headline: true,
        },
    ];
}

import {
    type Bench,
    type Figure,
    grouped,
    interleaved,
    type Measurement,
    median,
    medianRatio,
    megabytes,
    seconds,
    times,
} from '../bench.js';
import { writeModule, writeTasks } from '../datasets.js';
import type { Timed } from '../stopwatch.js';

/** A start that finds everything finished, against a script that opens every result file. */
export const leftover: Measurement = {
    key: 'd',
    about: 'a start that finds nothing left to do (`resume-run --dir results`); against reading every result file',
    measure: measureLeftover,
};

async function measureLeftover(bench: Bench): Promise<readonly Figure[]> {
    const figures: Figure[] = [];
    for (const samples of [20_000, 100_000]) {
        figures.push(await restart(bench, Math.ceil(samples * bench.scale)));
    }
    return figures;
}

async function restart({ stopwatch, folder, repetitions }: Bench, samples: number): Promise<Figure> {
    const dataset = await writeTasks(folder, samples, 1);
    const module = await writeModule(folder, 'noop', 'export default () => ({ accepted: true });\n');
    const naive = await writeModule(folder, 'read-all', READ_ALL);
    const dir = `results-${samples}`;
    await stopwatch.resumeRun([dataset, '--dir', dir, '-q', '--executor', 'module', '--module', module], {
        cwd: folder,
    });
    const { product, baseline, empty } = await interleaved<'product' | 'baseline' | 'empty', Timed>(
        repetitions,
        {
            product: () => stopwatch.resumeRun(['--dir', dir, '-q'], { cwd: folder }),
            baseline: () => stopwatch.time({ argv: [process.execPath, naive, dataset, dir], cwd: folder }),
            empty: () => stopwatch.time({ argv: [process.execPath, '-e', '0'], cwd: folder }),
        },
    );
    const wall = (timed: Timed): number => timed.wall;
    const peak = median(product.map((timed) => timed.peak));
    const took = median(product.map(wall));
    const first = samples === 20_000;
    return {
        what: `${grouped(samples)} finished samples`,
        product: `${seconds(took)}, ${megabytes(peak)}`,
        baseline: `${seconds(median(baseline.map(wall)))}, ${megabytes(median(baseline.map((t) => t.peak)))}, reading all (an empty Node start: ${seconds(median(empty.map(wall)))})`,
        ratio: `${times(medianRatio(baseline, product, wall))} faster`,
        goal: first ? '< 0.5 s, < 150 MB' : '',
        met: first ? took < 0.5 && peak < 150e6 : null,
        headline: first,
    };
}

/** The straightforward way: go through the dataset, open each sample's file, and check whether it is complete. */
const READ_ALL = `import { readFileSync } from 'node:fs';
const [, , dataset, dir] = process.argv;
let left = 0;
for (const line of readFileSync(dataset, 'utf8').split('\\n')) {
    if (line === '') continue;
    const { id } = JSON.parse(line);
    if (!JSON.parse(readFileSync(dir + '/' + id + '.json', 'utf8')).progress.is_complete) left += 1;
}
if (left > 0) process.exit(1);
`;

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
    type Bench,
    type Figure,
    grouped,
    interleaved,
    type Measurement,
    median,
    medianRatio,
    seconds,
    times,
} from '../bench.js';
import { writeModule, writeTasks } from '../datasets.js';
import type { Timed } from '../stopwatch.js';

/** One sample with thousands of 4 KB results, against a script that rewrites the file after each result. */
export const growingSample: Measurement = {
    key: 'e',
    about: 'one sample with thousands of 4 KB results; against rewriting its file after every result',
    measure: measureGrowing,
};

/** Results per second where they are paced. */
const PACE = 100;

interface Written {
    readonly timed: Timed;
    /** Bytes written per byte of the final file. */
    readonly factor: number;
}

async function measureGrowing(bench: Bench): Promise<readonly Figure[]> {
    const naive = await writeModule(bench.folder, 'rewrite-all', REWRITE_ALL);
    const small = Math.ceil(2000 * bench.scale);
    const large = 2 * small;
    const burst = await interleaved<'small' | 'large' | 'naiveSmall' | 'naiveLarge', Written>(
        bench.repetitions,
        {
            small: (round) => ours(bench, small, round, 0),
            large: (round) => ours(bench, large, round, 0),
            naiveSmall: (round) => theirs(bench, naive, small / 4, round),
            naiveLarge: (round) => theirs(bench, naive, small / 2, round),
        },
    );
    const paced = {
        small: [await ours(bench, small, 0, PACE)],
        large: [await ours(bench, large, 0, PACE)],
    };
    const wall = ({ timed }: Written): number => timed.wall;
    const factor = (all: readonly Written[]): number => median(all.map((written) => written.factor));
    const naiveRatio = medianRatio(burst.naiveLarge, burst.naiveSmall, wall);
    const figure = (how: string, at: Pick<typeof burst, 'small' | 'large'>): Figure => {
        const ratio = medianRatio(at.large, at.small, wall);
        const bytes = Math.max(factor(at.small), factor(at.large));
        return {
            what: `${grouped(small)} and ${grouped(large)} results, ${how}`,
            product: `${seconds(median(at.small.map(wall)))} and ${seconds(median(at.large.map(wall)))}; wrote ${bytes.toFixed(1)} x the file`,
            baseline: `rewriting ${grouped(small / 4)} and ${grouped(small / 2)}: ${times(naiveRatio)} the time, wrote ${grouped(factor(burst.naiveLarge))} x`,
            ratio: `${times(ratio)} the time for twice as many`,
            goal: '<= 2.2 x, <= 20 x the file',
            met: ratio <= 2.2 && bytes <= 20,
            headline: at === paced,
        };
    };
    return [figure('as fast as they come', burst), figure(`${PACE} a second`, paced)];
}

async function ours(bench: Bench, tasks: number, round: number, pace: number): Promise<Written> {
    const { stopwatch, folder } = bench;
    const dataset = await writeTasks(folder, 1, tasks);
    const module = await writeModule(folder, `text-${pace}`, textModule(pace));
    const dir = `grown-${tasks}-${pace}-${round}`;
    const at = pace === 0 ? bench.concurrency : 1;
    const args = [dataset, '--dir', dir, '-q', '-j', String(at), '--executor', 'module', '--module', module];
    const timed = await stopwatch.resumeRun(args, { cwd: folder });
    const { size } = await stat(join(folder, dir, 'sample-0.json'));
    return { timed, factor: timed.written / size };
}

async function theirs(bench: Bench, naive: string, tasks: number, round: number): Promise<Written> {
    const { stopwatch, folder } = bench;
    const file = join(folder, `rewritten-${tasks}-${round}.json`);
    const timed = await stopwatch.time({
        argv: [process.execPath, naive, file, String(tasks)],
        cwd: folder,
    });
    const { size } = await stat(file);
    return { timed, factor: timed.written / size };
}

/** Answers at a steady pace across all tasks, so that the overhead of a task does not slow it. */
function textModule(pace: number): string {
    if (pace === 0) return "export default () => ({ accepted: true, text: 'x'.repeat(4096) });\n";
    return `let next = performance.now();
export default async () => {
    next += ${1000 / pace};
    await new Promise((resolve) => setTimeout(resolve, next - performance.now()));
    return { accepted: true, text: 'x'.repeat(4096) };
};
`;
}

/** How such files are often kept: one growing object, rewritten entirely after every result, and not even synced. */
const REWRITE_ALL = `import { renameSync, writeFileSync } from 'node:fs';
const [, , file, tasks] = process.argv;
const results = [];
for (let index = 0; index < Number(tasks); index += 1) {
    results.push({ index, result: { accepted: true, text: 'x'.repeat(4096) } });
    writeFileSync(file + '.tmp', JSON.stringify({ iteration_result: results }, null, 4));
    renameSync(file + '.tmp', file);
}
`;

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Figure, Measurement } from './bench.js';
import { database } from './cases/database.js';
import { endpoints } from './cases/endpoints.js';
import { execTasks } from './cases/exec-tasks.js';
import { growingSample } from './cases/growing-sample.js';
import { judging } from './cases/judging.js';
import { leftover } from './cases/leftover.js';
import { modelRequests } from './cases/model-requests.js';
import { moduleTasks } from './cases/module-tasks.js';
import { packages } from './cases/packages.js';
import { page } from './cases/page.js';
import { queue } from './cases/queue.js';
import { waitingTasks } from './cases/waiting-tasks.js';
import { smallSamples } from './cases/small-samples.js';
import { widths } from './cases/widths.js';
import { savingLag } from './cases/saving-lag.js';
import { describeMachine } from './machine.js';
import { Stopwatch } from './stopwatch.js';
import { markdown, type Measured, writePages, writeSections } from './pages.js';
import { say } from './tools.js';

/*
 * npm run bench                       everything, at the published sizes
 * npm run bench -- --only a,d         some of it
 * npm run bench -- --scale 0.1 -r 1   a quick look
 * npm run bench -- --only qw          how cost grows with waiting tasks, which is measured only on request
 * npm run bench -- --write            also write the figures to docs/benchmarks.md and README.md;
 *                                     with --only, replace the same measurements in docs/benchmarks.md
 */

const ALL: readonly Measurement[] = [
    moduleTasks,
    execTasks,
    judging,
    packages,
    leftover,
    growingSample,
    endpoints,
    widths,
    database,
    savingLag,
    smallSamples,
    modelRequests,
    page,
    queue,
];

/** These take long and show how something grows; they run only if `--only` names them. */
const ON_REQUEST: readonly Measurement[] = [waitingTasks];

const { values } = parseArgs({
    options: {
        only: { type: 'string' },
        scale: { type: 'string', default: '1' },
        repetitions: { type: 'string', short: 'r', default: '5' },
        concurrency: { type: 'string', short: 'j', default: '2' },
        write: { type: 'boolean', default: false },
    },
});

async function measureOne(
    measurement: Measurement,
    root: string,
    stopwatch: Stopwatch,
): Promise<readonly Figure[]> {
    const folder = join(root, measurement.key);
    await mkdir(folder);
    try {
        return await measurement.measure({
            stopwatch,
            folder,
            repetitions: Number(values.repetitions),
            scale: Number(values.scale),
            concurrency: Number(values.concurrency),
        });
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}

async function main(): Promise<void> {
    const wanted = values.only?.split(',');
    const chosen =
        wanted === undefined ? ALL : [...ALL, ...ON_REQUEST].filter(({ key }) => wanted.includes(key));
    const root = await mkdtemp(join(tmpdir(), 'resume-run-bench-'));
    const measured: Measured[] = [];
    try {
        const stopwatch = await Stopwatch.compile(root);
        for (const measurement of chosen) {
            say(`${measurement.key}: ${measurement.about}`);
            const before = loadavg()[0] ?? 0;
            const figures = await measureOne(measurement, root, stopwatch);
            measured.push({ measurement, figures, load: [before, loadavg()[0] ?? 0] });
        }
    } finally {
        await rm(root, { recursive: true, force: true });
    }
    const machine = describeMachine();
    process.stdout.write(markdown(machine, measured, Number(values.repetitions)));
    if (!values.write) return;
    const write = wanted === undefined ? writePages : writeSections;
    await write(machine, measured, Number(values.repetitions));
}

await main();

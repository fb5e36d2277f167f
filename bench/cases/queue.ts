import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
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
import { CLI, type Timed } from '../stopwatch.js';
import { isInstalled, say } from '../tools.js';

/** No-op tasks over a queue with 1, 2 and 4 workers, each committed durably; against raw BullMQ jobs over the same Redis. */
export const queue: Measurement = {
    key: 'q',
    about: 'no-op `module` tasks over `--mode queue`, 100 a sample, each committed durably; against raw BullMQ jobs',
    measure: measureQueue,
};

const A_SAMPLE = 100;
const RAW = fileURLToPath(new URL('../baseline/bullmq-loop.js', import.meta.url));
const RAW_WORKER = fileURLToPath(new URL('../baseline/bullmq-worker.js', import.meta.url));

/** What one side took, and the CPU seconds of its workers' main processes. */
interface Round extends Timed {
    readonly workersCpu: number;
}

async function measureQueue(bench: Bench): Promise<readonly Figure[]> {
    if (!(await isInstalled('redis-server'))) {
        say('q: left out, redis-server is not installed');
        return [];
    }
    const { folder, stopwatch } = bench;
    const samples = Math.max(3, Math.ceil(200 * bench.scale));
    const tasks = samples * A_SAMPLE;
    const dataset = await writeTasks(folder, samples, A_SAMPLE);
    const module = await writeModule(folder, 'noop', 'export default () => ({ accepted: true });\n');
    const socket = join(folder, 'redis');
    const redis = await startRedis(folder, socket);
    const env = { ...process.env, REDIS_URL: `unix://${socket}` };
    try {
        const figures: Figure[] = [];
        for (const count of [1, 2, 4]) {
            const start = (argv: readonly string[]): ChildProcess[] =>
                Array.from({ length: count }, () =>
                    spawn(process.execPath, argv, { cwd: folder, env, stdio: ['pipe', 'ignore', 'ignore'] }),
                );
            const { product, baseline } = await interleaved<'product' | 'baseline', Round>(
                bench.repetitions,
                {
                    product: (round) =>
                        withWorkers(
                            start([CLI, 'worker', '-j', '2', '--executor', 'module', '--allow', 'exec']),
                            () =>
                                stopwatch.resumeRun(
                                    [
                                        dataset,
                                        '--dir',
                                        `results-${count}-${round}`,
                                        '-q',
                                        '--mode',
                                        'queue',
                                    ].concat(['--executor', 'module', '--module', module]),
                                    { cwd: folder, env },
                                ),
                        ),
                    baseline: () =>
                        withWorkers(start([RAW_WORKER, socket]), () =>
                            stopwatch.time({
                                argv: [process.execPath, RAW, socket, String(tasks)],
                                cwd: folder,
                            }),
                        ),
                },
            );
            figures.push(describe(count, tasks, product, baseline));
        }
        return figures;
    } finally {
        redis.kill('SIGKILL');
        await once(redis, 'exit');
    }
}

function describe(
    count: number,
    tasks: number,
    product: readonly Round[],
    baseline: readonly Round[],
): Figure {
    const wall = ({ wall: seconds }: Timed): number => seconds;
    const each = (seconds: readonly number[]): string => `${((1e6 * median(seconds)) / tasks).toFixed(0)} us`;
    const describeSide = (rounds: readonly Round[]): string =>
        `${perSecond(tasks, median(rounds.map(wall)))}; CPU a task ${each(rounds.map(({ cpu }) => cpu))} and ${each(rounds.map(({ workersCpu }) => workersCpu))}`;
    const ratio = medianRatio(baseline, product, wall);
    return {
        what: `${tasks.toLocaleString('en-US')} tasks, ${count} ${count === 1 ? 'worker' : 'workers'}; CPU of coordinator and workers' main processes`,
        product: describeSide(product),
        baseline: `${describeSide(baseline)}, raw BullMQ`,
        ratio: percent(ratio),
        goal: '>= 60 %',
        met: ratio >= 0.6,
        headline: count === 2,
    };
}

/** Seconds to wait before the clock starts, so that workers are up on both sides. */
const WARM_UP = 1.5;

async function withWorkers(workers: readonly ChildProcess[], run: () => Promise<Timed>): Promise<Round> {
    try {
        await wait(WARM_UP * 1000);
        const before = await sumCpu(workers);
        const timed = await run();
        return { ...timed, workersCpu: (await sumCpu(workers)) - before };
    } finally {
        for (const worker of workers) {
            worker.stdin?.end();
            worker.kill('SIGTERM');
        }
        await Promise.all(workers.map(async (worker) => worker.exitCode ?? once(worker, 'exit')));
    }
}

/** Clock ticks per second in which Linux counts CPU time. */
const TICKS = 100;

/** CPU seconds of the processes themselves, without their children. */
export async function sumCpu(workers: readonly ChildProcess[]): Promise<number> {
    let ticks = 0;
    for (const { pid } of workers) {
        const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
        // After the name, which may contain anything: state is field 3, utime 14, stime 15.
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        ticks += Number(fields[11]) + Number(fields[12]);
    }
    return ticks / TICKS;
}

/** Starts a Redis with an append-only file. */
export async function startRedis(folder: string, socket: string): Promise<ChildProcess> {
    const redis = spawn(
        'redis-server',
        ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', '', '--appendonly', 'yes'],
        { stdio: 'ignore' },
    );
    for (let tries = 0; tries < 200; tries += 1) {
        if (
            await access(socket).then(
                () => true,
                () => false,
            )
        )
            return redis;
        await wait(50);
    }
    redis.kill('SIGKILL');
    throw new Error('redis-server did not start');
}

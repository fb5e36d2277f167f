import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Bench, Figure, Measurement } from '../bench.js';
import { writeModule, writeTasks } from '../datasets.js';
import { CLI } from '../stopwatch.js';
import { isInstalled, say } from '../tools.js';
import { startRedis, sumCpu } from './queue.js';

/**
 * How the cost of a task over a queue grows with the number of waiting tasks, all of which are in Redis before a worker starts.
 */
export const waitingTasks: Measurement = {
    key: 'qw',
    about: 'a queue with 10,000 and 100,000 tasks (times --scale) that wait, and one worker',
    measure: measureWaiting,
};

/** The last is the maximum that `--concurrency` accepts. */
const WAITING = [10_000, 100_000];
const A_SAMPLE = 100;

/** Tasks that the worker runs while the others wait. */
const MEASURED = 2000;

/** Milliseconds between checks of how many tasks wait. */
const LOOK_MS = 100;

async function measureWaiting(bench: Bench): Promise<readonly Figure[]> {
    if (!(await isInstalled('redis-server'))) {
        say('qw: left out, redis-server is not installed');
        return [];
    }
    const figures: Figure[] = [];
    for (const count of WAITING) {
        const tasks = Math.max(2 * MEASURED, Math.ceil((count * bench.scale) / A_SAMPLE) * A_SAMPLE);
        const folder = join(bench.folder, String(count));
        await mkdir(folder);
        const figure = await measureOne(folder, tasks);
        say(`${figure.what}: ${figure.product}`);
        figures.push(figure);
    }
    return figures;
}

async function measureOne(folder: string, tasks: number): Promise<Figure> {
    const dataset = await writeTasks(folder, tasks / A_SAMPLE, A_SAMPLE);
    const module = await writeModule(folder, 'noop', 'export default () => ({ accepted: true });\n');
    const socket = join(folder, 'redis');
    const redis = await startRedis(folder, socket);
    const started: ChildProcess[] = [redis];
    const client = new Redis(socket);
    const start = (argv: readonly string[]): ChildProcess => {
        const env = { ...process.env, REDIS_URL: `unix://${socket}` };
        const child = spawn(process.execPath, [CLI, ...argv], { cwd: folder, env, stdio: 'ignore' });
        started.push(child);
        return child;
    };
    const executor = ['--executor', 'module'];
    try {
        const run = start([
            dataset,
            ...executor,
            ...`--dir results -q --mode queue -j ${tasks} --module`.split(' '),
            module,
        ]);
        await untilWaiting(client, run, (waiting) => waiting >= tasks);
        const adding = await sumCpu([run]);
        const resident = await readResident(run);
        const memory = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1] ?? 0);
        start(['worker', '-j', '2', ...executor, '--allow', 'exec']);
        await untilWaiting(client, run, (waiting) => waiting < tasks);
        const before = await Promise.all([sumCpu([run]), sumCpu([redis])]);
        const beganAt = performance.now();
        await untilWaiting(client, run, (waiting) => waiting <= tasks - MEASURED);
        const seconds = (performance.now() - beganAt) / 1000;
        const after = await Promise.all([sumCpu([run]), sumCpu([redis])]);
        const each = (cpu: number, count: number): string => `${((1e6 * cpu) / count).toFixed(0)} us`;
        const spent = after.map((cpu, at) => each(cpu - (before[at] ?? 0), MEASURED));
        return {
            what: `${tasks.toLocaleString('en-US')} tasks wait`,
            product:
                `${(MEASURED / seconds).toFixed(0)} tasks/s; CPU a task: coordinator ${spent[0]}, Redis ${spent[1]}; ` +
                `to add one ${each(adding, tasks)}; memory of Redis ${(memory / tasks).toFixed(0)} B a task, ` +
                `of the coordinator ${(resident / 1e6).toFixed(0)} MB`,
            baseline: '',
            ratio: '',
            goal: 'flat',
            met: null,
        };
    } finally {
        client.disconnect();
        for (const child of started.reverse()) {
            child.kill('SIGKILL');
            if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
        }
    }
}

/** Resident memory of a process now, in bytes. */
async function readResident({ pid }: ChildProcess): Promise<number> {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
}

/** Resolves when this many tasks are waiting. @throws Error if the run ends before that */
async function untilWaiting(
    client: Redis,
    run: ChildProcess,
    isEnough: (waiting: number) => boolean,
): Promise<void> {
    for (;;) {
        // KEYS is not used, because it walks through the keys of all jobs.
        const [name] = (await client.hkeys('resume-run:runs')) as readonly (string | undefined)[];
        if (name !== undefined && isEnough(await client.llen(`resume-run:{${name}}:tasks:wait`))) return;
        if (run.exitCode !== null) throw new Error(`the run ended with ${run.exitCode}`);
        await wait(LOOK_MS);
    }
}

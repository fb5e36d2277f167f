import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { grouped, median } from './bench.js';
import { writeModule, writeTasks } from './datasets.js';
import { describeMachine } from './machine.js';
import { drawSoak, type Sampled } from './soak-svg.js';
import { CLI } from './stopwatch.js';
import { say } from './tools.js';

/*
 * Runs very many tiny tasks through the real command line: a long stretch, many SIGKILLs, and a long stretch to the end. Compares
 * memory, descriptors and pace of the two long stretches, then reads every result file.
 *
 * npm run soak                                       200,000 tasks over 20,000 samples, 50 kills
 * npm run soak -- --samples 2000 --kills 5           a quick look
 * npm run soak -- --svg docs/soak.svg                also draw the chart
 */

const { values } = parseArgs({
    options: {
        samples: { type: 'string', default: '20000' },
        tasks: { type: 'string', default: '10' },
        kills: { type: 'string', default: '50' },
        svg: { type: 'string' },
    },
});
const SAMPLES = Number(values.samples);
const TASKS = Number(values.tasks);
const KILLS = Number(values.kills);

/** Shares of all samples: where the first stretch ends, and by when the kills should be over. */
const FIRST = 0.4;
const LAST = 0.6;
/** Milliseconds between observations. */
const LOOK_MS = 250;
/** Seconds after the first new result that are ignored while caches fill. */
const WARM_UP = 3;

class Soak {
    readonly sampled: Sampled[] = [];
    /** Times in seconds at which the process was killed. */
    readonly kills: number[] = [];
    readonly #started = performance.now();
    readonly #folder: string;
    readonly #args: readonly string[];

    constructor(folder: string, args: readonly string[]) {
        this.#folder = folder;
        this.#args = args;
    }

    get #time(): number {
        return (performance.now() - this.#started) / 1000;
    }

    /** The number of result files that exist. */
    done(): number {
        const dir = join(this.#folder, 'results');
        return existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith('.json')).length : 0;
    }

    /** One life of the run, watched until it ends or `until` returns true; then it is killed with everything it started. */
    async live(stretch: Sampled['stretch'], until: (done: number) => boolean, lookMs: number): Promise<void> {
        const child = spawn(process.execPath, [CLI, ...this.#args], {
            cwd: this.#folder,
            stdio: ['ignore', 'ignore', 'inherit'],
            detached: true,
        });
        const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
        const startedAt = this.#time;
        while (child.exitCode === null && child.signalCode === null) {
            const done = this.done();
            const seen = look(child);
            const time = this.#time;
            if (seen !== null) this.sampled.push({ ...seen, time, age: time - startedAt, done, stretch });
            if (until(done)) {
                process.kill(-(child.pid ?? 0), 'SIGKILL');
                this.kills.push(this.#time);
                break;
            }
            await Promise.race([sleep(lookMs), ended]);
        }
        await ended;
        if (child.exitCode !== null && child.exitCode !== 0) throw new Error(`exit code ${child.exitCode}`);
    }
}

/** Observes a live process; null once it has ended. */
function look(child: ChildProcess): Pick<Sampled, 'rss' | 'descriptors' | 'cpu'> | null {
    try {
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        const rss = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN) * 1024;
        const descriptors = readdirSync(`/proc/${child.pid}/fd`).length;
        // After the name, which may contain anything: user and system time in ticks of 10 ms.
        const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
        const cpu = (Number(stat[11]) + Number(stat[12])) / 100;
        return Number.isNaN(rss) ? null : { rss, descriptors, cpu };
    } catch {
        return null;
    }
}

/** Checks that every file is whole and contains every task, and that no task ran again after it had been saved. */
function verify(folder: string): void {
    const dir = join(folder, 'results');
    const files = readdirSync(dir).filter((name) => !name.startsWith('.'));
    if (files.length !== SAMPLES) throw new Error(`${files.length} result files instead of ${SAMPLES}`);
    for (const name of files) {
        const file = JSON.parse(readFileSync(join(dir, name), 'utf8')) as {
            readonly iteration_result: readonly { readonly attempts: readonly unknown[] }[];
            readonly progress: { readonly is_complete: boolean };
        };
        const once = file.iteration_result.every((entry) => entry.attempts.length === 1);
        if (!file.progress.is_complete || file.iteration_result.length !== TASKS || !once) {
            throw new Error(`${name} is not as it should be`);
        }
    }
    const left = readdirSync(dir).filter((name) => name.startsWith('.'));
    if (left.length > 0) throw new Error(`left behind: ${left.join(' ')}`);
    const superseded = join(folder, 'checkpoints', basename(dir), 'superseded.jsonl');
    if (existsSync(superseded) && statSync(superseded).size > 0)
        throw new Error('finished results were replaced');
}

interface Stretch {
    /** Tasks per second, and per CPU second; the latter depends less on what else the machine does. */
    readonly pace: number;
    readonly cpuPace: number;
    /** Median bytes in its first and last fifth, after warming up. */
    readonly rss: readonly [number, number];
    readonly descriptors: readonly [number, number];
}

function measure(all: readonly Sampled[], stretch: Sampled['stretch']): Stretch {
    const whole = all.filter((item) => item.stretch === stretch);
    // Counted from its first new result: before that, a start reads what the killed one left, which says nothing about pace.
    const began = whole.find((item) => item.done > (whole[0]?.done ?? 0))?.age ?? 0;
    const seen = whole.filter((item) => item.age >= began + WARM_UP);
    const first = seen[0];
    const last = seen.at(-1);
    if (first === undefined || last === undefined || seen.length < 10)
        throw new Error(`the ${stretch} stretch is too short`);
    const fifth = Math.ceil(seen.length / 5);
    const ends = (of: (item: Sampled) => number): readonly [number, number] => [
        median(seen.slice(0, fifth).map(of)),
        median(seen.slice(-fifth).map(of)),
    ];
    const tasks = (last.done - first.done) * TASKS;
    return {
        pace: tasks / (last.time - first.time),
        cpuPace: tasks / (last.cpu - first.cpu),
        rss: ends(({ rss }) => rss),
        descriptors: ends(({ descriptors }) => descriptors),
    };
}

function summary(soak: Soak): string {
    const first = measure(soak.sampled, 'first');
    const last = measure(soak.sampled, 'last');
    const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
    const of = (name: string, { pace, cpuPace, rss, descriptors }: Stretch): string =>
        `- ${name}: ${grouped(pace)} tasks/s, ${grouped(cpuPace)} a CPU second; memory ${mb(rss[0])} at its start, ` +
        `${mb(rss[1])} at its end; descriptors ${descriptors[0]} and ${descriptors[1]}\n`;
    const total = (SAMPLES * TASKS).toLocaleString('en-US');
    return (
        `${total} tasks over ${SAMPLES.toLocaleString('en-US')} samples, ${soak.kills.length} kills -9, on ${describeMachine()}, ` +
        `load average ${(loadavg()[0] ?? 0).toFixed(1)}. Every file was read afterwards: all tasks there, none done twice.\n\n` +
        of('first stretch', first) +
        of('last stretch', last) +
        `- throughput of the last stretch: ${((100 * last.pace) / first.pace).toFixed(0)} % of the first's; by CPU time ` +
        `${((100 * last.cpuPace) / first.cpuPace).toFixed(0)} %\n`
    );
}

async function main(): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'resume-run-soak-'));
    try {
        const dataset = await writeTasks(folder, SAMPLES, TASKS);
        const module = await writeModule(folder, 'noop', 'export default () => ({ accepted: true });\n');
        const soak = new Soak(folder, [dataset, '-q', '--executor', 'module', '--module', module]);
        say(`first stretch: to ${FIRST * 100} % of ${SAMPLES} samples`);
        await soak.live('first', (done) => done >= SAMPLES * FIRST, LOOK_MS);
        say(`${KILLS} kills`);
        const share = ((LAST - FIRST) * SAMPLES) / Math.max(1, KILLS - 1);
        for (let kill = 1; kill < KILLS; kill += 1) {
            const target = soak.done() + Math.random() * 1.5 * share;
            await soak.live('kills', (done) => done >= target, 20);
        }
        say(`last stretch: from ${soak.done()} samples, after ${soak.kills.length} kills`);
        await soak.live('last', () => false, LOOK_MS);
        verify(folder);
        process.stdout.write(summary(soak));
        if (values.svg !== undefined) await writeFile(values.svg, drawSoak(soak.sampled, soak.kills, TASKS));
    } finally {
        await rm(folder, { recursive: true, force: true });
    }
}

await main();

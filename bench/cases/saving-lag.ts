import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bench, type Figure, grouped, type Measurement, median } from '../bench.js';
import { writeModule, writeTasks } from '../datasets.js';
import { CLI } from '../stopwatch.js';

const SAMPLES = 200;
const TASKS = 100;

/** What a kill can cost: tasks that have ended but whose results are not on disk yet. */
export const savingLag: Measurement = {
    key: 'h',
    about: 'what a kill can cost beside the work of running tasks: how long, and for how many, an ended task is not saved yet',
    measure: async (bench) => [
        await measureLag(bench, 'no-op tasks, as fast as they come', 0, bench.concurrency),
        await measureLag(bench, 'tasks of 50 ms, 16 at once', 50, 16),
    ],
};

/** When one task ended and when its result reached the disk, in milliseconds. */
interface Saved {
    readonly ended: number;
    readonly saved: number;
}

async function measureLag(bench: Bench, what: string, takes: number, atOnce: number): Promise<Figure> {
    const { folder, repetitions, scale } = bench;
    const samples = Math.max(2, Math.ceil((SAMPLES * scale) / (takes === 0 ? 1 : 10)));
    const dataset = await writeTasks(folder, samples, TASKS);
    const module = await writeModule(folder, `ends-${takes}`, endsModule(takes));
    const rounds: (readonly Saved[])[] = [];
    for (let round = 0; round < repetitions; round += 1) {
        const dir = join(folder, `lag-${takes}`);
        const args = [
            dataset,
            '--dir',
            dir,
            '--json',
            '-j',
            String(atOnce),
            '--executor',
            'module',
            '--module',
            module,
        ];
        rounds.push(await readEvents(args, folder));
        await rm(dir, { recursive: true, force: true });
        await rm(join(folder, 'checkpoints'), { recursive: true, force: true });
    }
    const lags = rounds.map((round) => round.map(({ ended, saved }) => Math.max(0, saved - ended)));
    const open = rounds.map(unsavedAtEnds);
    const at = (of: readonly (readonly number[])[], share: number): string =>
        grouped(median(of.map((values) => quantile(values, share))));
    return {
        what: `${grouped(samples * TASKS)} ${what}`,
        product: `${at(lags, 0.5)} ms, ${at(lags, 0.99)} ms, ${at(lags, 1)} ms until an ended task is saved (median, p99, longest)`,
        baseline: `${at(open, 0.5)}, ${at(open, 0.99)}, ${at(open, 1)} ended tasks unsaved at once`,
        ratio: '',
        goal: '',
        met: null,
        headline: takes === 0,
    };
}

/** Runs the product and reads the times from its events. */
async function readEvents(args: readonly string[], cwd: string): Promise<readonly Saved[]> {
    const child = spawn(process.execPath, [CLI, ...args], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    const found: Saved[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
        const event = JSON.parse(line) as {
            readonly type: string;
            readonly at: string;
            readonly result?: { readonly ended?: number };
        };
        const ended = event.result?.ended;
        if (event.type === 'task-finished' && ended !== undefined)
            found.push({ ended, saved: Date.parse(event.at) });
    }
    if (found.length === 0) throw new Error('no task was saved: there is nothing to measure');
    return found;
}

/** For the moment each task ended: how many tasks had ended but were not saved. */
function unsavedAtEnds(saved: readonly Saved[]): readonly number[] {
    const ends = saved.map(({ ended }) => ended).toSorted((a, b) => a - b);
    const saves = saved.map((one) => one.saved).toSorted((a, b) => a - b);
    let done = 0;
    return ends.map((end, i) => {
        while ((saves[done] ?? Number.POSITIVE_INFINITY) <= end) done += 1;
        return Math.max(0, i + 1 - done);
    });
}

function quantile(values: readonly number[], share: number): number {
    const sorted = values.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

const endsModule = (takes: number): string => `
export default async () => {
    ${takes === 0 ? '' : `await new Promise((resolve) => setTimeout(resolve, ${takes}));`}
    return { accepted: true, ended: Date.now() };
};
`;

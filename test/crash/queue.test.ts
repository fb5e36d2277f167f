import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type Cli, killGroup, startCli, tempDir } from '../rig/cli.js';
import { LONG, rounds } from '../rig/long.js';
import { NO_REDIS, PrivateRedis } from '../rig/redis.js';
import { patience } from '../rig/slowness.js';
import { eventSeen } from './processes.js';

/*
 * A coordinator, its workers and their Redis, all killed in the middle of a run. Each row leaves a mark when it runs.
 */

if (NO_REDIS !== null) console.error(`kills of a queue: skipped, ${NO_REDIS}`);

const OBEY = join(import.meta.dirname, '../rig/tasks/obey.mjs');
const QUEUE_WORKER = join(import.meta.dirname, '../rig/queue-worker.mjs');
const ROWS = 16;
/** Tasks at once of both workers together: what may be in flight at a kill. */
const SLOTS = 4;

class Scene {
    readonly cwd = tempDir();
    readonly redis = new PrivateRedis(['--appendonly', 'yes', '--appendfsync', 'always']);
    readonly #started: Cli[] = [];

    async open(): Promise<void> {
        await this.redis.start();
        const rows = Array.from({ length: ROWS }, (_, id) => ({
            id: `r${id}`,
            do: 'sleep',
            ms: 400,
            mark: join(this.cwd, `mark-${id}`),
        }));
        writeFileSync(join(this.cwd, 'rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    }

    get #env(): NodeJS.ProcessEnv {
        return { REDIS_URL: this.redis.url };
    }

    start(args: readonly string[]): Cli {
        const cli = startCli(args, { cwd: this.cwd, env: this.#env });
        this.#started.push(cli);
        return cli;
    }

    /** The short form starts workers that are missed after 5 s, not 14. */
    worker(): Cli {
        if (LONG) return this.start(['worker', '-j', '2', '--executor', 'module', '--allow', 'exec']);
        const cli = startCli([], { cwd: this.cwd, env: this.#env, program: QUEUE_WORKER });
        this.#started.push(cli);
        return cli;
    }

    coordinator = (): Cli =>
        this.start([
            'rows.jsonl',
            '--rows-per-sample',
            '1',
            '--executor',
            'module',
            '--module',
            OBEY,
            '--mode',
            'queue',
            '--dir',
            'results',
            '--json',
        ]);

    /** How often each row ran. */
    marks = (): number[] => this.readMarks().map((lines) => lines.length);

    /** By row: the task, each time that it was started. */
    readMarks(): string[][] {
        return Array.from({ length: ROWS }, (_, id) => {
            const path = join(this.cwd, `mark-${id}`);
            return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
        });
    }

    async end(): Promise<void> {
        for (const { child } of this.#started) killGroup(child);
        await Promise.all(this.#started.map(({ result }) => result));
        await this.redis.end();
    }
}

/** Resolves when it is so, or throws. */
async function until(what: string, isSo: () => boolean): Promise<void> {
    const deadline = Date.now() + patience(20_000);
    while (!isSo()) {
        if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
        await wait(50);
    }
}

const finishedIn = (stdout: string): number => stdout.split('"type":"task-finished"').length - 1;

it.skipIf(NO_REDIS !== null)(
    'a coordinator that was killed collects what workers finished meanwhile, and runs none of it again',
    { timeout: patience(60_000) },
    async () => {
        const scene = new Scene();
        try {
            await scene.open();
            scene.worker();
            scene.worker();
            const first = scene.coordinator();
            await eventSeen(first, 'task-finished', 3);
            killGroup(first.child);
            const { stdout } = await first.result;
            await until('the workers have run all rows', () => scene.marks().every((count) => count > 0));
            const second = await scene.coordinator().result;
            expect(second.code, second.stderr).toBe(0);
            expect(scene.marks()).toEqual(Array(ROWS).fill(1));
            // What was announced was on disk, and was not committed once more.
            expect(finishedIn(second.stdout)).toBeLessThanOrEqual(ROWS - finishedIn(stdout));
        } finally {
            await scene.end();
        }
    },
);

it.skipIf(NO_REDIS !== null)(
    'a worker and Redis that are killed cost what was in flight, and nothing that was committed',
    { timeout: patience(60_000) * (LONG ? rounds(1) : 1) },
    async () => {
        for (let round = 0; round < rounds(1); round++) {
            const scene = new Scene();
            try {
                await scene.open();
                const doomed = scene.worker();
                scene.worker();
                const run = scene.coordinator();
                await eventSeen(run, 'task-finished', 3 + (round % 8));
                killGroup(doomed.child);
                await scene.redis.kill();
                const before = scene.marks();
                await wait(700);
                await scene.redis.start();
                const { code, stdout, stderr } = await run.result;
                expect(code, stderr).toBe(0);
                expect(finishedIn(stdout)).toBe(ROWS);
                const after = scene.marks();
                expect(
                    after.every((count) => count === 1 || count === 2),
                    String(after),
                ).toBe(true);
                // Only what had begun and was not finished ran again.
                expect(after.filter((count) => count === 2).length).toBeLessThanOrEqual(SLOTS);
                expect(after.every((count, id) => count === 1 || before[id] === 1)).toBe(true);
                expect(stdout).toContain('"type":"paused"');
            } finally {
                await scene.end();
            }
        }
    },
);

it.skipIf(NO_REDIS !== null)(
    'a Redis that loses everything in the middle gets the rest of the tasks again, and none that was committed',
    { timeout: patience(60_000) },
    async () => {
        const scene = new Scene();
        try {
            await scene.open();
            scene.worker();
            scene.worker();
            const run = scene.coordinator();
            let stdout = '';
            run.child.stdout?.on('data', (text: string) => {
                stdout += text;
            });
            await eventSeen(run, 'task-finished', 3);
            const committed = stdout
                .split('\n')
                .filter((line) => line.includes('"type":"task-finished"') && line.endsWith('}'))
                .map((line) => JSON.parse(line) as { sample: string; group: string; index: number })
                .map(({ sample, group, index }) => `${sample}/${group}/${index}`);
            await scene.redis.flush();
            const end = await run.result;
            expect(end.code, end.stderr).toBe(0);
            expect(finishedIn(end.stdout)).toBe(ROWS);
            const marks = scene.marks();
            expect(committed.length).toBeGreaterThan(2);
            const started = scene.readMarks().flat();
            expect(committed.map((key) => started.filter((one) => one === key).length)).toEqual(
                committed.map(() => 1),
            );
            expect(
                marks.every((count) => count === 1 || count === 2),
                String(marks),
            ).toBe(true);
            // What ran then, and what had answered without a commit.
            expect(marks.filter((count) => count === 2).length).toBeLessThanOrEqual(2 * SLOTS);
        } finally {
            await scene.end();
        }
    },
);

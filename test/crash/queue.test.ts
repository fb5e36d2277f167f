import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { killGroup } from '../rig/cli.js';
import { LONG, rounds } from '../rig/long.js';
import { QueueScene, until } from '../rig/queue-scene.js';
import { NO_REDIS } from '../rig/redis.js';
import { patience } from '../rig/slowness.js';
import { eventSeen } from './processes.js';

/*
 * A coordinator, its workers and their Redis, all killed in the middle of a run. Each row leaves a mark when it runs.
 */

if (NO_REDIS !== null) console.error(`kills of a queue: skipped, ${NO_REDIS}`);

const ROWS = 16;
/** Concurrent tasks of both workers together: the most that can be in flight at a kill. */
const SLOTS = 4;

const openScene = (): Promise<QueueScene> =>
    new QueueScene(Array.from({ length: ROWS }, () => ({ do: 'sleep', ms: 400 }))).open();

/** Expects that rows ran at most twice, and that no more of them ran twice than could be lost. */
function expectReruns(marks: readonly number[], most: number): void {
    expect(
        marks.every((count) => count === 1 || count === 2),
        String(marks),
    ).toBe(true);
    expect(marks.filter((count) => count === 2).length, String(marks)).toBeLessThanOrEqual(most);
}

const finishedIn = (stdout: string): number => stdout.split('"type":"task-finished"').length - 1;

it.skipIf(NO_REDIS !== null)(
    'a coordinator that was killed collects what workers finished meanwhile, and runs none of it again',
    { timeout: patience(60_000) },
    async () => {
        const scene = await openScene();
        try {
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
            // Results that were announced were on disk and were not committed again.
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
            const scene = await openScene();
            try {
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
                // Only tasks that had begun but not finished ran again.
                expectReruns(after, SLOTS);
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
        const scene = await openScene();
        try {
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
            expect(committed.length).toBeGreaterThan(2);
            const started = scene.readMarks().flat();
            expect(committed.map((key) => started.filter((one) => one === key).length)).toEqual(
                committed.map(() => 1),
            );
            // The tasks that were running, and those that had answered without a commit.
            expectReruns(scene.marks(), 2 * SLOTS);
        } finally {
            await scene.end();
        }
    },
);

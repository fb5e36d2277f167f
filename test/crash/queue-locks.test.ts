import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { QueueScene, until } from '../rig/queue-scene.js';
import { NO_REDIS } from '../rig/redis.js';
import { patience } from '../rig/slowness.js';

/*
 * A task that takes far longer than its lock (a limit of 1000 s with a lock of 10 s; here 13 s with a lock of 4 s) keeps it,
 * however busy the worker is. Another worker with free slots is waiting to take over such a task.
 */

if (NO_REDIS !== null) console.error(`locks of a queue: skipped, ${NO_REDIS}`);

/** More than three lock durations of the worker, so that a lock that is not renewed is certain to be noticed. */
const LONG_MS = 13_000;

it.skipIf(NO_REDIS !== null)(
    'a task keeps its lock while it and others block every core, and while its worker stands still for less than the lock',
    { timeout: patience(60_000) },
    async () => {
        // Two tasks block the thread that they run in, and two more compete for the same cores.
        const scene = await new QueueScene(
            Array.from({ length: 4 }, () => ({ do: 'spin', ms: LONG_MS })),
        ).open();
        try {
            const first = scene.worker();
            scene.worker();
            const run = scene.coordinator();
            await until('all tasks run', () => scene.marks().every((count) => count === 1));
            // The locks are not renewed for half of their duration.
            first.child.kill('SIGSTOP');
            await wait(2000);
            first.child.kill('SIGCONT');
            // With free slots, it would take any task that loses its lock.
            scene.worker();
            const { code, stdout, stderr } = await run.result;
            expect(code, stderr).toBe(0);
            expect(scene.marks()).toEqual([1, 1, 1, 1]);
            const attempts = stdout.split('\n').filter((line) => line.includes('"type":"task-finished"'));
            expect(attempts).toHaveLength(4);
        } finally {
            await scene.end();
        }
    },
);

it.skipIf(NO_REDIS !== null)(
    'a worker that stands still for longer than its locks loses them, and its late answers change nothing',
    { timeout: patience(60_000) },
    async () => {
        const scene = await new QueueScene([
            { do: 'sleep', ms: 1000 },
            { do: 'sleep', ms: 1000 },
        ]).open();
        try {
            const frozen = scene.worker();
            const run = scene.coordinator();
            await until('both tasks run', () => scene.marks().every((count) => count === 1));
            frozen.child.kill('SIGSTOP');
            const second = scene.worker();
            await until('both tasks run elsewhere', () => scene.marks().every((count) => count === 2));
            frozen.child.kill('SIGCONT');
            const { code, stdout, stderr } = await run.result;
            expect(code, stderr).toBe(0);
            const finished = stdout.split('\n').filter((line) => line.includes('"type":"task-finished"'));
            expect(finished).toHaveLength(2);
            // The late answers arrived first.
            for (const line of finished) expect(line).toContain(`-${second.child.pid}-`);
            expect(scene.marks()).toEqual([2, 2]);
        } finally {
            await scene.end();
        }
    },
);

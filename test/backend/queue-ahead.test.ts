import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { tempDir } from '../rig/cli.js';
import { makeRowTask, makeRunId, OBEYING, openCoordinator, openWorker } from '../rig/queue-backend.js';
import { NO_REDIS, PrivateRedis } from '../rig/redis.js';
import { patience, SOON } from '../rig/slowness.js';

/*
 * A worker fetches tiny tasks beyond its slots, so that several travel together.
 */

if (NO_REDIS !== null) console.error(`tasks ahead of a queue's worker: skipped, ${NO_REDIS}`);

const redis = new PrivateRedis();
beforeAll(async () => {
    if (NO_REDIS === null) await redis.start();
});
afterAll(() => redis.end());

/** Enough for a worker to learn that its tasks are tiny. */
const TINY = 400;

it.skipIf(NO_REDIS !== null)(
    'gives tasks back that it took ahead when one of them takes long, and none of them runs twice',
    { timeout: patience(60_000) },
    async () => {
        const folder = tempDir();
        const mark = (row: number): string => join(folder, String(row));
        const runs = (row: number): number =>
            existsSync(mark(row)) ? readFileSync(mark(row), 'utf8').trim().split('\n').length : 0;
        const run = makeRunId();
        const oneSlot = { ...OBEYING, concurrency: 1 };
        const coordinator = await openCoordinator(redis.access, run, OBEYING);
        const order = (row: number): JsonObject =>
            row === TINY ? { do: 'spin', ms: patience(4000) } : { do: 'answer', value: row };
        const started = Array.from({ length: TINY + 4 }, (_, row) =>
            coordinator.start(makeRowTask(row, { ...order(row), mark: mark(row) })),
        );
        let isOver = false;
        const [blocking, ...behind] = started.slice(TINY);
        void blocking?.completion.finally(() => {
            isOver = true;
        });
        const first = await openWorker(redis.access, run, oneSlot);
        let [mostInFlight, mostAhead] = [0, 0];
        const watch = setInterval(() => {
            mostInFlight = Math.max(mostInFlight, first.inFlight);
            mostAhead = Math.max(mostAhead, first.takenAhead);
        }, 5);
        const second = await vi
            .waitUntil(() => runs(TINY) === 1, SOON)
            .then(() => openWorker(redis.access, run, oneSlot));
        try {
            await Promise.all(behind.map(({ completion }) => completion));
            expect(isOver).toBe(false);
            expect([mostInFlight, mostAhead > 0]).toEqual([1, true]);
            const kinds = (await Promise.all(started.map(({ completion }) => completion))).map(
                ({ outcome }) => outcome.kind,
            );
            expect(kinds).toEqual(Array(TINY + 4).fill('verdict'));
            expect(started.map((_, row) => runs(row))).toEqual(Array(TINY + 4).fill(1));
        } finally {
            clearInterval(watch);
            await coordinator.close();
            for (const worker of [first, second]) {
                worker.giveBack();
                await worker.drain(0);
            }
        }
    },
);

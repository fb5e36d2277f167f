import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { makeRunKeys, QUEUE_NAME } from '../../src/backend/queue/keys.js';
import { MAX_STALLS } from '../../src/backend/queue/job-feed.js';
import type { QueueWorker } from '../../src/backend/queue/worker-host.js';
import { tempDir } from '../rig/cli.js';
import { makeRowTask, makeRunId, OBEYING, openCoordinator, openWorker } from '../rig/queue-backend.js';
import { NO_REDIS, PrivateRedis } from '../rig/redis.js';
import { patience, SOON } from '../rig/slowness.js';

if (NO_REDIS !== null) console.error(`the queue: skipped, ${NO_REDIS}`);

const redis = new PrivateRedis();
beforeAll(async () => {
    if (NO_REDIS === null) await redis.start();
});
afterAll(() => redis.end());

it.skipIf(NO_REDIS !== null)(
    'hands the task of a draining worker to another one, but for what ends in time',
    { timeout: patience(30_000) },
    async () => {
        const mark = join(tempDir(), 'mark');
        const countStarts = (): number =>
            existsSync(mark) ? readFileSync(mark, 'utf8').trim().split('\n').length : 0;
        const run = makeRunId();
        const coordinator = await openCoordinator(redis.access, run, OBEYING);
        const first = await openWorker(redis.access, run, OBEYING);
        const brief = coordinator.start(makeRowTask(0, { do: 'sleep', ms: 600, mark }));
        const endless = coordinator.start(makeRowTask(1, { do: 'wait', ms: 600_000, mark }));
        await vi.waitUntil(() => countStarts() === 2, SOON);
        const drained = first.drain(1500);
        const second = await openWorker(redis.access, run, OBEYING);
        try {
            expect((await brief.completion).outcome.kind).toBe('verdict');
            await drained;
            await vi.waitUntil(() => countStarts() === 3, SOON);
            const lines = readFileSync(mark, 'utf8').trim().split('\n');
            expect(lines.filter((line) => line.endsWith('/1'))).toHaveLength(2);
            endless.abort();
            expect((await endless.completion).outcome).toEqual({ kind: 'abort' });
        } finally {
            await coordinator.close();
            second.giveBack();
            await second.drain(0);
        }
    },
);

it.skipIf(NO_REDIS !== null)(
    'sets a task aside that took several workers down, with its reason, and no attempt more',
    { timeout: patience(30_000) },
    async () => {
        const run = makeRunId();
        const coordinator = await openCoordinator(redis.access, run, OBEYING);
        const client = new Redis(redis.socket, { maxRetriesPerRequest: null });
        // Takes jobs as a real worker does but never renews a lock, like a worker that dies each time.
        const dying = new Worker(QUEUE_NAME, null, {
            connection: client,
            prefix: makeRunKeys(run).prefix,
            lockDuration: 50,
            stalledInterval: 50,
            maxStalledCount: MAX_STALLS,
        });
        let worker: QueueWorker | null = null;
        try {
            const mark = join(tempDir(), 'mark');
            const { completion } = coordinator.start(makeRowTask(0, { do: 'answer', value: 1, mark }));
            await dying.startStalledCheckTimer();
            for (let lost = 0; lost <= MAX_STALLS; ) {
                if ((await dying.getNextJob(String(lost), { block: false })) !== undefined) lost += 1;
                else await new Promise((resolve) => setTimeout(resolve, 20));
            }
            worker = await openWorker(redis.access, run, OBEYING);
            const end = await completion;
            expect(end.outcome).toMatchObject({
                kind: 'failure',
                failure: { reason: 'worker-died', retry: false },
            });
            expect(JSON.stringify(end)).toContain('every worker that ran this task was lost');
            expect(existsSync(mark)).toBe(false);
        } finally {
            await dying.close(true);
            client.disconnect();
            await coordinator.close();
            await worker?.drain(0);
        }
    },
);

it.skipIf(NO_REDIS !== null)(
    'answers only the worker that has a task, hears what another one spent, and takes back what a lost one was given',
    { timeout: patience(30_000) },
    async () => {
        const run = makeRunId();
        const coordinator = await openCoordinator(redis.access, run, OBEYING);
        const client = new Redis(redis.socket, { maxRetriesPerRequest: null });
        const keys = makeRunKeys(run);
        const taking = new Worker(QUEUE_NAME, null, {
            connection: client,
            prefix: keys.prefix,
            lockDuration: 1000,
        });
        const seen: string[] = [];
        const running = coordinator.start(makeRowTask(0, { do: 'answer', value: 1 }), {
            saveStep: () => Promise.reject(new Error('not asked for')),
            ask: (request) => {
                seen.push(`granted ${JSON.stringify(request['n'])}`);
                return Promise.resolve({ lease: 'one' });
            },
            hearLate: (request) => seen.push(`heard ${JSON.stringify(request['n'])}`),
            takeBack: () => seen.push('taken back'),
        });
        let calls = 0;
        const ask = async (task: string, token: string, n: number): Promise<unknown> => {
            const request = { do: 'ask', request: { do: 'acquire', n } };
            const call = { type: 'call', worker: 'w', task, token, call: String(calls++), request };
            await client.rpush(keys.calls, JSON.stringify(call));
            const [, reply = '{}'] = (await client.blpop(keys.replies('w'), 10)) ?? [];
            return (JSON.parse(reply) as { problem: unknown }).problem;
        };
        try {
            let job: string | undefined;
            while (job === undefined) {
                job = (await taking.getNextJob('first', { block: false }))?.id;
                if (job === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
            }
            expect(await ask(job, 'first', 1)).toBeNull();
            expect(await ask(job, 'other', 2)).toBe('another worker has the task now');
            expect(seen).toEqual(['granted 1', 'heard 2']);
            // Its lock is not renewed.
            await vi.waitUntil(() => seen.includes('taken back'), SOON);
            expect(await ask(job, 'first', 3)).toBe('another worker has the task now');
            running.abort();
            await running.completion;
            running.release?.();
            expect(await ask(job, 'first', 4)).toBe('the task has ended');
            expect(seen).toEqual(['granted 1', 'heard 2', 'taken back', 'heard 3', 'heard 4']);
        } finally {
            await taking.close(true);
            client.disconnect();
            await coordinator.close();
        }
    },
);

it.skipIf(NO_REDIS !== null)(
    'gives a program to a worker that has its language, and says what the others wait for',
    { timeout: patience(30_000) },
    async () => {
        const run = makeRunId();
        const notices: string[] = [];
        const coordinator = await openCoordinator(redis.access, run, OBEYING, (line) => notices.push(line));
        const workers = [await openWorker(redis.access, run, OBEYING, { CPP: '12.2' })];
        const start = (index: number, language: string) => {
            const content = { text: '', digest: '0'.repeat(64) };
            const input = {
                kind: 'program',
                language,
                files: [{ name: 'main', content }],
                name: null,
                expected: null,
            } as const;
            return coordinator.start({ ...makeRowTask(index, {}), input });
        };
        try {
            const python = start(0, 'PYTHON3');
            let isDone = false;
            const ended = python.completion.finally(() => {
                isDone = true;
            });
            const { outcome } = await start(1, 'CPP').completion;
            expect(outcome).toMatchObject({ by: { toolchain: 'CPP 12.2' } });
            await vi.waitUntil(() => notices.some((line) => line.includes('a worker with PYTHON3')), SOON);
            expect(notices.join()).toContain('other toolchains than this machine: CPP 12.2 (here 14.2)');
            expect(isDone).toBe(false);
            workers.push(await openWorker(redis.access, run, OBEYING, { PYTHON3: '3.13' }));
            await ended;
            expect(notices.filter((line) => line.includes('a worker with PYTHON3'))).toHaveLength(1);
        } finally {
            await coordinator.close();
            await Promise.all(workers.map((worker) => worker.drain(0)));
        }
    },
);

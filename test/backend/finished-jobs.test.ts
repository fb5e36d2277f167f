import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { FinishedJobs } from '../../src/backend/queue/finished-jobs.js';
import { makeRunKeys } from '../../src/backend/queue/keys.js';
import type { JobUpdate } from '../../src/backend/queue/scripts.js';
import { makeRunId } from '../rig/queue-backend.js';
import { NO_REDIS, PrivateRedis } from '../rig/redis.js';
import { SOON } from '../rig/slowness.js';

if (NO_REDIS !== null) console.error(`finished jobs of a queue: skipped, ${NO_REDIS}`);

const redis = new PrivateRedis();
beforeAll(async () => {
    if (NO_REDIS === null) await redis.start();
});
afterAll(() => redis.end());

/** Without these events a coordinator finds results only by polling every two seconds: nothing fails, but everything is slow. */
it.skipIf(NO_REDIS !== null)('are heard of by their events, of every queue', async ({ onTestFinished }) => {
    const connect = (): Redis => {
        const client = new Redis({ path: redis.socket, maxRetriesPerRequest: null });
        onTestFinished(() => client.disconnect());
        return client;
    };
    const keys = makeRunKeys(makeRunId());
    const names = ['tasks-a', 'tasks-b'];
    const queues = names.map((name) => ({
        name,
        languages: [],
        keys: keys.queue(name),
        queue: new Queue(name, { connection: connect(), prefix: keys.prefix }),
    }));
    const heard: JobUpdate[] = [];
    const finished = new FinishedJobs(
        connect(),
        () => queues,
        (job) => heard.push(job),
    );
    const running = finished.run();
    const workers = names.map(
        (name) =>
            new Worker(
                name,
                async ({ id }) => {
                    if (id === 'bad') throw new Error('no');
                    return { done: id };
                },
                { connection: connect(), prefix: keys.prefix },
            ),
    );
    await queues[0]?.queue.add('task', {}, { jobId: 'good' });
    await queues[1]?.queue.add('task', {}, { jobId: 'bad' });
    await vi.waitUntil(() => heard.length === 2, SOON);
    expect(heard.toSorted((a, b) => a.job.localeCompare(b.job))).toEqual([
        { job: 'bad', failed: 'no' },
        { job: 'good', returned: '{"done":"good"}' },
    ]);
    await Promise.all(workers.map((worker) => worker.close()));
    finished.close();
    await running;
});

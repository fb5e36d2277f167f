import { Redis } from 'ioredis';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Flight } from '../../src/backend/queue/flight.js';
import { JobCheck } from '../../src/backend/queue/job-check.js';
import { makeRunKeys } from '../../src/backend/queue/keys.js';
import { TaskJobs } from '../../src/backend/queue/task-jobs.js';
import type { TaskQueue, TaskQueues } from '../../src/backend/queue/task-queues.js';
import { makeRunId } from '../rig/queue-backend.js';
import { NO_REDIS, PrivateRedis } from '../rig/redis.js';

if (NO_REDIS !== null) console.error(`jobs that Redis has lost: skipped, ${NO_REDIS}`);

const redis = new PrivateRedis();
beforeAll(async () => {
    if (NO_REDIS === null) await redis.start();
});
afterAll(() => redis.end());

/** More than two polls ask for. */
const WAITING = 4_002;

it.skipIf(NO_REDIS !== null)(
    'jobs that Redis has lost are found in turn, however many wait, and at once when it may have lost all',
    async ({ onTestFinished }) => {
        const client = new Redis({ path: redis.socket, maxRetriesPerRequest: null });
        onTestFinished(() => client.disconnect());
        const runKeys = makeRunKeys(makeRunId());
        const name = 'tasks';
        const queue = {
            name,
            languages: [],
            keys: runKeys.queue(name),
            queue: new Queue(name, { connection: client, prefix: runKeys.prefix }),
        };
        const flights = new Map<string, Flight>();
        const jobs = new TaskJobs();
        for (let at = 0; at < WAITING; at += 1)
            flights.set(`job-${at}`, makeFlight(`job-${at}`, queue, jobs));
        const lost = ['job-0', 'job-1999', 'job-2000', 'job-2001', 'job-4000', 'job-4001'];
        const kept = [...flights.keys()].filter((job) => !lost.includes(job));
        await client.mset(kept.flatMap((job) => [queue.keys.job(job), '1']));
        const check = new JobCheck(client, { all: () => [queue] } as unknown as TaskQueues, jobs, flights);
        const find = async (isWhole: boolean): Promise<string[]> =>
            (await check.findLost(isWhole)).map(({ name: task }) => task);

        expect((await find(true)).toSorted()).toEqual(lost.toSorted());
        const found = [await find(false), await find(false), await find(false)];
        expect(found[0]).toEqual(['job-0', 'job-1999']);
        expect(new Set(found.flat())).toEqual(new Set(lost));
        // Jobs that were never in Redis cannot be lost from it.
        for (const flight of flights.values()) flight.state = 'settled';
        expect(await find(true)).toEqual([]);
        expect(await find(false)).toEqual([]);
    },
);

function makeFlight(name: string, queue: TaskQueue, jobs: TaskJobs): Flight {
    const flight: Flight = {
        name,
        task: {
            sample: 's',
            group: 'solution',
            index: 0,
            attempt: 1,
            input: {},
        } as unknown as Flight['task'],
        host: {} as Flight['host'],
        startedAt: 0,
        isClaimed: false,
        settle: () => undefined,
        queue: null,
        job: null,
        isAlone: false,
        state: 'in Redis',
        aborted: false,
        patience: undefined,
        kept: [],
    };
    jobs.make(queue, [flight]);
    return flight;
}

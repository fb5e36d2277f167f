import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeRunKeys, QUEUE_NAME, RUNS_KEY, WORKERS_KEY } from '../../src/backend/queue/keys.js';
import {
    MAX_TASK_BYTES,
    MAX_TASKS_PER_JOB,
    packJob,
    packTask,
    PROTOCOL,
} from '../../src/backend/queue/messages.js';
import type { Task } from '../../src/model/task.js';
import { listWorkers } from '../../src/backend/queue/worker-host.js';
import type { Backend, Completion } from '../../src/backend/backend.js';
import { makeRowTask, makeRunId, OBEYING, openCoordinator, openWorker } from '../rig/queue-backend.js';
import { NO_REDIS, PrivateRedis } from '../rig/redis.js';
import { patience } from '../rig/slowness.js';

/*
 * Anyone with write access to the Redis of a run can write anything. Nonsense costs the task that it concerns and nothing else.
 */

if (NO_REDIS !== null) console.error(`a hostile Redis: skipped, ${NO_REDIS}`);

const redis = new PrivateRedis();
let client: Redis;
beforeAll(async () => {
    if (NO_REDIS !== null) return;
    await redis.start();
    client = new Redis(redis.socket, { maxRetriesPerRequest: null });
});
afterAll(async () => {
    client?.disconnect();
    await redis.end();
});

const verdict = {
    kind: 'verdict',
    verdict: 'Accepted',
    result: {},
    suspect: null,
    by: { api_used: 'local' },
};
const served = { outcome: verdict, startedAt: 1, duration: 1 };

/** Answers that a worker may return but none of ours ever does. */
const ANSWERS: readonly ((task: string) => unknown)[] = [
    () => null,
    () => 'x',
    () => ({ v: PROTOCOL, answer: '{' }),
    () => ({ v: PROTOCOL + 1, answer: '{}' }),
    (task) => answer({ task, answer: { workerId: 'w', served: { ...served, duration: -1 } } }),
    (task) => answer({ task, answer: { workerId: 'w', served, more: 1 } }),
    (task) =>
        answer({
            task,
            answer: { workerId: 'w', served: { ...served, outcome: { kind: 'verdict', verdict: 'Fine' } } },
        }),
    (task) => answer({ task, answer: { workerId: 'w', served, outputs: '../../../etc/passwd' } }),
    () => ({ v: PROTOCOL, answer: 'x'.repeat(10_000) }),
    () => ({ v: PROTOCOL, name: '../../other-run' }),
    () => ({ v: PROTOCOL, name: 'not-there' }),
    (task) => answer({ task, name: '../../other-run' }),
    (task) => answer({ task, name: 'not-there' }),
    () => answer({ task: 'another-1', answer: { workerId: 'w', served } }),
    () => answer(),
    () => ({ v: PROTOCOL, answer: JSON.stringify({ answers: [], left: 'all' }) }),
    (task) => ({ v: PROTOCOL, answer: JSON.stringify({ answers: [], left: Array(33).fill(task) }) }),
];

const answer = (...answers: readonly object[]): unknown => ({
    v: PROTOCOL,
    answer: JSON.stringify({ answers, left: [] }),
});

it.skipIf(NO_REDIS !== null)(
    'a worker that answers nonsense costs the tasks that it answers, each as a failure that may be tried again',
    { timeout: patience(30_000) },
    async () => {
        const run = makeRunId();
        const coordinator = await openCoordinator(redis.access, run, OBEYING);
        const hostile = new Worker(QUEUE_NAME, null, { connection: client, prefix: makeRunKeys(run).prefix });
        try {
            const completions = ANSWERS.map((_, index) => startRow(coordinator, index));
            for (const text of ['x', '{}', '[]', JSON.stringify({ type: 'log', job: 'j', line: 7 })])
                await client.rpush(makeRunKeys(run).calls, text);
            for (let taken = 0; taken < ANSWERS.length; ) {
                const job = await hostile.getNextJob('t', { block: false });
                if (job === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
                else await job.moveToCompleted(ANSWERS[taken++]?.(job.id ?? ''), 't', false);
            }
            const failure = {
                reason: 'worker-died',
                message: expect.stringContaining('cannot read the answer') as string,
            };
            for (const { outcome } of await Promise.all(completions))
                expect(outcome).toMatchObject({ kind: 'failure', failure });
        } finally {
            await hostile.close(true);
            await coordinator.close();
        }
    },
);

/** A job with these tasks, all under one name. */
const pack = (...tasks: readonly Task[]): unknown =>
    packJob(
        '1',
        tasks.map((task) => packTask({ name: 'a-1', task })),
    );

const startRow = (coordinator: Backend, index: number): Promise<Completion> =>
    coordinator.start(makeRowTask(index, { do: 'answer', value: index })).completion;

it.skipIf(NO_REDIS !== null)(
    'a run that hands out nonsense gets failures for it, and the worker goes on',
    { timeout: patience(30_000) },
    async () => {
        const run = makeRunId();
        const coordinator = await openCoordinator(redis.access, run, OBEYING);
        await client.hset(RUNS_KEY, { junk: 'x', 'other-run': '{"protocol":1}' });
        await client.hset(WORKERS_KEY, 'junk', '{"id":7}');
        const { prefix } = makeRunKeys(run);
        const queue = new Queue(QUEUE_NAME, { connection: client, prefix });
        const task = makeRowTask(0, { do: 'answer', value: 0 });
        const jobs: unknown[] = [
            null,
            [],
            { v: PROTOCOL, start: '1', tasks: '{' },
            { v: PROTOCOL + 1, tasks: '{}' },
            { v: PROTOCOL, start: '1', tasks: 'x'.repeat(MAX_TASK_BYTES + 1) },
            pack({ ...task, stage: '../../etc' }),
            pack({ ...task, sample: '' }),
            pack({ ...task, attempt: 0 }),
            pack({ ...task, stage: '0'.repeat(64), index: -1 }),
            pack(),
            pack(task, task),
            pack(...Array<Task>(MAX_TASKS_PER_JOB + 1).fill(task)),
        ];
        try {
            for (const [index, data] of jobs.entries())
                await queue.add('task', data, { jobId: `junk-${index}` });
            const worker = await openWorker(redis.access, run, OBEYING);
            const { outcome } = await startRow(coordinator, 99);
            expect(outcome).toMatchObject({ kind: 'verdict', result: { value: 99 } });
            await expect
                .poll(() => worker.id && listWorkers(redis.access), { timeout: patience(10_000) })
                .toMatchObject([{ done: jobs.length + 1, failures: jobs.length, inFlight: 0 }]);
            await worker.drain(0);
        } finally {
            await queue.close();
            await coordinator.close();
        }
    },
);

it.skipIf(NO_REDIS !== null)(
    'a task that is too large for a queue fails by itself, and says what to do',
    { timeout: patience(30_000) },
    async () => {
        const coordinator = await openCoordinator(redis.access, makeRunId(), OBEYING);
        try {
            const large = makeRowTask(0, { do: 'answer', value: 'x'.repeat(MAX_TASK_BYTES) });
            expect((await coordinator.start(large).completion).outcome).toMatchObject({
                kind: 'failure',
                failure: { message: expect.stringContaining('run it without --mode queue') as string },
            });
        } finally {
            await coordinator.close();
        }
    },
);

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Job, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import type { Backend, Running } from '../../src/backend/backend.js';
import { MAX_STALLS } from '../../src/backend/queue/job-feed.js';
import { makeRunKeys, QUEUE_NAME } from '../../src/backend/queue/keys.js';
import { type NamedTask, PROTOCOL, unpackJob } from '../../src/backend/queue/messages.js';
import type { QueueWorker } from '../../src/backend/queue/worker-host.js';
import type { JsonObject } from '../../src/model/json.js';
import { tempDir } from '../rig/cli.js';
import { makeRowTask, makeRunId, OBEYING, openCoordinator, openWorker } from '../rig/queue-backend.js';
import { NO_REDIS, PrivateRedis } from '../rig/redis.js';
import { RedisLink } from '../rig/redis-link.js';
import { patience, SOON } from '../rig/slowness.js';

/*
 * Tiny tasks share jobs. Each is still a task of its own, with its own outcome, aborts and failures.
 */

if (NO_REDIS !== null) console.error(`jobs with several tasks: skipped, ${NO_REDIS}`);

const redis = new PrivateRedis();
beforeAll(async () => {
    if (NO_REDIS === null) await redis.start();
});
afterAll(() => redis.end());

/** Enough for a coordinator to learn that tasks are tiny. */
const LEARNING = 200;

class Scene {
    readonly run = makeRunId();
    readonly keys = makeRunKeys(this.run).queue(QUEUE_NAME);
    readonly client = new Redis(redis.socket, { maxRetriesPerRequest: null });
    readonly folder = tempDir();

    constructor() {
        onTestFinished(() => this.client.disconnect());
    }

    async coordinate(access = redis.access): Promise<Backend> {
        const coordinator = await openCoordinator(access, this.run, OBEYING);
        onTestFinished(() => coordinator.close());
        return coordinator;
    }

    async work(concurrency = 1): Promise<QueueWorker> {
        const worker = await openWorker(redis.access, this.run, { ...OBEYING, concurrency });
        onTestFinished(() => {
            worker.giveBack();
            return worker.drain(0);
        });
        return worker;
    }

    /** A coordinator that has learned that tasks are tiny, from a worker that reports so. */
    async learn(access = redis.access): Promise<Backend> {
        const coordinator = await this.coordinate(access);
        const started = Array.from({ length: LEARNING }, (_, row) =>
            coordinator.start(makeRowTask(row + 10_000, {})),
        );
        const worker = this.taking(patience(60_000));
        for (let taken = 0; taken < LEARNING; taken += 1) {
            const job = await this.take(worker, 'learning');
            await job.moveToCompleted(answer(unpackJob(job.data).tasks), 'learning', false);
        }
        for (const one of started) {
            await one.completion;
            one.release?.();
        }
        return coordinator;
    }

    mark = (row: number): string => join(this.folder, String(row));

    /** How often a row ran. */
    runs = (row: number): number =>
        existsSync(this.mark(row)) ? readFileSync(this.mark(row), 'utf8').trim().split('\n').length : 0;

    start(coordinator: Backend, row: number, order: JsonObject = { do: 'answer', value: row }): Running {
        return coordinator.start(makeRowTask(row, { ...order, mark: this.mark(row) }));
    }

    /** Starts tasks that share one job. */
    async share(coordinator: Backend, orders: readonly (JsonObject | undefined)[]): Promise<Running[]> {
        const started = orders.map((order, row) => this.start(coordinator, row, order));
        await vi.waitUntil(async () => (await this.client.llen(this.keys.state('wait'))) > 0, SOON);
        const [job = '', ...others] = await this.client.lrange(this.keys.state('wait'), 0, -1);
        const data: unknown = JSON.parse((await this.client.hget(this.keys.job(job), 'data')) ?? '');
        expect([others, unpackJob(data).tasks.length]).toEqual([[], orders.length]);
        return started;
    }

    /** Takes jobs as a real worker does, but never renews a lock. */
    taking(lockDuration: number): Worker {
        const worker = new Worker(QUEUE_NAME, null, {
            connection: this.client,
            prefix: makeRunKeys(this.run).prefix,
            lockDuration,
            stalledInterval: 50,
            maxStalledCount: MAX_STALLS,
        });
        onTestFinished(() => worker.close(true));
        return worker;
    }

    async take(worker: Worker, token: string): Promise<Job> {
        let job: Job | undefined;
        await vi.waitUntil(
            async () => (job = await worker.getNextJob(token, { block: false })) !== undefined,
            SOON,
        );
        if (job === undefined) throw new Error('no job');
        return job;
    }
}

const VERDICT = {
    kind: 'verdict',
    verdict: 'Accepted',
    result: { told: true },
    suspect: null,
    by: { api_used: 'local' },
};
const SERVED = { outcome: VERDICT, startedAt: 1, duration: 0 };

/** What a job returns or reports as progress: the tasks that have ended and those that are left. */
const answer = (ended: readonly NamedTask[], left: readonly NamedTask[] = []): unknown => ({
    v: PROTOCOL,
    answer: JSON.stringify({
        answers: ended.map(({ name }) => ({ task: name, answer: { workerId: 'lost', served: SERVED } })),
        left: left.map(({ name }) => name),
    }),
});

const kinds = async (started: readonly Running[]): Promise<string[]> =>
    (await Promise.all(started.map(({ completion }) => completion))).map(({ outcome }) => outcome.kind);

const rows = <T>(count: number, value: T): T[] => Array<T>(count).fill(value);

it.skipIf(NO_REDIS !== null)(
    'a task that takes long keeps no answer of its job back, and the tasks behind it run elsewhere',
    { timeout: patience(60_000) },
    async () => {
        const scene = new Scene();
        const coordinator = await scene.learn();
        const orders = [undefined, undefined, { do: 'sleep', ms: patience(6000) }, undefined, undefined];
        const started = await scene.share(coordinator, orders);
        const [first, second, long, ...behind] = started;
        let isOver = false;
        void long?.completion.finally(() => {
            isOver = true;
        });
        await scene.work();
        await vi.waitUntil(() => scene.runs(2) === 1, SOON);
        await scene.work();
        await Promise.all([first, second, ...behind].map(async (one) => one?.completion));
        expect(isOver).toBe(false);
        expect(await kinds(started)).toEqual(rows(5, 'verdict'));
        expect(orders.map((_, row) => scene.runs(row))).toEqual(rows(5, 1));
        for (const one of started) one.release?.();
        await vi.waitUntil(async () => (await scene.client.keys(scene.keys.job('*-*'))).length === 0, SOON);
    },
);

it.skipIf(NO_REDIS !== null)(
    'a job that loses its worker is taken apart, so that each of its tasks shows by itself what it does',
    { timeout: patience(60_000) },
    async () => {
        const scene = new Scene();
        const coordinator = await scene.learn();
        const started = await scene.share(coordinator, rows(4, undefined));
        const dying = scene.taking(50);
        await dying.startStalledCheckTimer();
        await scene.take(dying, 'lost');
        // The next worker hands its tasks back while no other worker is there to take them.
        const next = await scene.work();
        const wait = scene.keys.state('wait');
        await vi.waitUntil(async () => scene.runs(0) > 0 || (await scene.client.llen(wait)) > 0, SOON);
        await next.drain(patience(5000));
        const others = await scene.client.lrange(wait, 0, -1);
        expect(others.filter((job) => job.startsWith('batch-'))).toEqual([]);
        await scene.work();
        expect(await kinds(started)).toEqual(rows(4, 'verdict'));
        expect([0, 1, 2, 3].map((row) => scene.runs(row))).toEqual(rows(4, 1));
    },
);

it.skipIf(NO_REDIS !== null)(
    'a job that BullMQ gives up is handed out again task by task, and a task that it gives up is not',
    { timeout: patience(60_000) },
    async () => {
        const scene = new Scene();
        const coordinator = await scene.learn();
        const started = await scene.share(coordinator, rows(3, undefined));
        const dying = scene.taking(patience(60_000));
        const job = await scene.take(dying, 't');
        await job.moveToFailed(new Error('job stalled more than allowable limit'), 't');
        const singles = [
            await scene.take(dying, 's'),
            await scene.take(dying, 's'),
            await scene.take(dying, 's'),
        ];
        const [bad] = singles;
        expect(singles.map(({ data }) => unpackJob(data).tasks.length)).toEqual([1, 1, 1]);
        await bad?.moveToFailed(new Error('job stalled more than allowable limit'), 's');
        await singles[1]?.moveToWait('s');
        await singles[2]?.moveToWait('s');
        await scene.work();
        expect((await kinds(started)).toSorted()).toEqual(['failure', 'verdict', 'verdict']);
    },
);

it.skipIf(NO_REDIS !== null)(
    'a worker that takes over runs nothing again of which the lost one told, and a coordinator that takes over neither',
    { timeout: patience(90_000) },
    async () => {
        const scene = new Scene();
        const link = await new RedisLink(tempDir(), redis.socket).open();
        onTestFinished(() => link.close());
        const coordinator = await scene.learn(link.access);
        await scene.share(coordinator, rows(4, undefined));
        link.goDead();
        const dying = scene.taking(50);
        const lost = await scene.take(dying, 't');
        const [told, given] = unpackJob(lost.data).tasks.map((task) => [task]);
        await lost.updateProgress(answer(told ?? [], given) as object);
        const next = await scene.coordinate();
        // The progress report covers the first two: one has its answer, the other is handed out again.
        const started = Array.from({ length: 4 }, (_, row) => scene.start(next, row));
        expect((await started[0]?.completion)?.outcome).toMatchObject({ result: { told: true } });
        await dying.startStalledCheckTimer();
        await scene.work();
        expect(await kinds(started)).toEqual(rows(4, 'verdict'));
        expect([0, 1, 2, 3].map((row) => scene.runs(row))).toEqual([0, 1, 1, 1]);
        for (const one of started) one.release?.();
        await vi.waitUntil(async () => (await scene.client.keys(scene.keys.job('*-*'))).length === 0, SOON);
        link.cut();
    },
);

it.skipIf(NO_REDIS !== null)(
    'aborts are of one task: its neighbours run, and a job whose tasks are all aborted goes',
    { timeout: patience(60_000) },
    async () => {
        const scene = new Scene();
        const coordinator = await scene.learn();
        const all = await scene.share(coordinator, rows(3, { do: 'answer', value: 7 }));
        for (const one of all) one.abort();
        expect(await kinds(all)).toEqual(rows(3, 'abort'));
        expect(await scene.client.llen(scene.keys.state('wait'))).toBe(0);
        for (const one of all) one.release?.();
        const started = await scene.share(coordinator, rows(3, undefined));
        started[1]?.abort();
        expect((await started[1]?.completion)?.outcome).toEqual({ kind: 'abort' });
        await scene.work();
        expect(await kinds(started)).toEqual(['verdict', 'abort', 'verdict']);
    },
);

it.skipIf(NO_REDIS !== null)(
    'a worker that drains gives the tasks of a job back that have not begun, and returns those that have ended',
    { timeout: patience(60_000) },
    async () => {
        const scene = new Scene();
        const coordinator = await scene.learn();
        const orders = [undefined, { do: 'sleep', ms: patience(1500) }, undefined, undefined];
        const started = await scene.share(coordinator, orders);
        const first = await scene.work();
        await vi.waitUntil(() => scene.runs(1) === 1, SOON);
        await first.drain(patience(20_000));
        await scene.work();
        expect(await kinds(started)).toEqual(rows(4, 'verdict'));
        expect(orders.map((_, row) => scene.runs(row))).toEqual(rows(4, 1));
    },
);

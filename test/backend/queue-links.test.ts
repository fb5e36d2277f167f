import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Backend } from '../../src/backend/backend.js';
import type { QueueWorker } from '../../src/backend/queue/worker-host.js';
import { tempDir } from '../rig/cli.js';
import { makeRowTask, makeRunId, OBEYING, openCoordinator, openWorker } from '../rig/queue-backend.js';
import { sampled } from '../rig/long.js';
import { NO_REDIS, PrivateRedis } from '../rig/redis.js';
import { RedisLink } from '../rig/redis-link.js';
import { patience, SOON } from '../rig/slowness.js';

/*
 * Connections to Redis that go dead silently, a Redis that is full, and one that fails over to its replica. Marks count the
 * starts of each task.
 */

if (NO_REDIS !== null) console.error(`links of a queue: skipped, ${NO_REDIS}`);

const countStarts = (mark: string): number =>
    existsSync(mark) ? readFileSync(mark, 'utf8').trim().split('\n').length : 0;

/** A lock whose loss is noticed quickly. */
const BRIEF = { ms: 1500, lookMs: 300 };

class Scene {
    readonly folder = tempDir();
    readonly redis: PrivateRedis;
    readonly run = makeRunId();
    readonly told: string[] = [];
    #ends: (() => unknown)[] = [];

    constructor(options: readonly string[] = []) {
        this.redis = new PrivateRedis(options);
        onTestFinished(async () => {
            for (const end of this.#ends.reverse()) await end();
        });
        this.atEnd(() => this.redis.end());
    }

    atEnd(end: () => unknown): void {
        this.#ends.push(end);
    }

    async link(): Promise<RedisLink> {
        const link = await new RedisLink(tempDir(), this.redis.socket).open();
        this.atEnd(() => link.close());
        return link;
    }

    async coordinate(access = this.redis.access): Promise<Backend> {
        const told = (line: string): void => void this.told.push(line);
        const coordinator = await openCoordinator(access, this.run, OBEYING, told);
        this.atEnd(() => coordinator.close());
        return coordinator;
    }

    async work(access = this.redis.access): Promise<QueueWorker> {
        const worker = await openWorker(access, this.run, OBEYING, undefined, BRIEF);
        this.atEnd(() => {
            worker.giveBack();
            return worker.drain(0);
        });
        return worker;
    }

    mark = (name: string | number): string => join(this.folder, `mark-${name}`);
}

it.skipIf(NO_REDIS !== null)(
    'a worker whose link goes dead loses its task to another one, and what it says when it is back changes nothing',
    { timeout: patience(30_000) },
    async () => {
        const scene = new Scene();
        await scene.redis.start();
        const link = await scene.link();
        const coordinator = await scene.coordinate();
        await scene.work(link.access);
        const mark = scene.mark('task');
        const { completion } = coordinator.start(makeRowTask(0, { do: 'sleep', ms: 2500, mark }));
        await vi.waitUntil(() => countStarts(mark) === 1, SOON);
        link.goDead();
        await scene.work();
        await vi.waitUntil(() => countStarts(mark) === 2, SOON);
        link.revive();
        expect((await completion).outcome).toMatchObject({ kind: 'verdict' });
        const next = coordinator.start(makeRowTask(1, { do: 'answer', value: 1, mark: scene.mark('next') }));
        expect((await next.completion).outcome.kind).toBe('verdict');
        expect([countStarts(mark), countStarts(scene.mark('next'))]).toEqual([2, 1]);
    },
);

it.skipIf(NO_REDIS !== null)(
    'a run whose link goes dead says so, and has every result when it is there again, or another one is made',
    { timeout: patience(40_000) },
    async () => {
        const scene = new Scene();
        await scene.redis.start();
        const link = await scene.link();
        const coordinator = await scene.coordinate(link.access);
        await scene.work();
        for (const [round, back] of sampled(['revive', 'cut'] as const, 1).entries()) {
            const mark = scene.mark(round);
            const running = coordinator.start(makeRowTask(round, { do: 'sleep', ms: 300, mark }));
            await vi.waitUntil(() => countStarts(mark) === 1, SOON);
            link.goDead();
            await vi.waitUntil(
                () => scene.told.filter((line) => line.includes('does not answer')).length > round,
                { timeout: patience(15_000), interval: 50 },
            );
            link[back]();
            expect((await running.completion).outcome.kind).toBe('verdict');
            running.release?.();
            expect(countStarts(mark)).toBe(1);
            await vi.waitUntil(
                () =>
                    scene.told.filter(
                        (line) => / (?:answers again|is back)$/.test(line) && !line.includes('goes on'),
                    ).length > round,
                SOON,
            );
        }
    },
);

it.skipIf(NO_REDIS !== null)(
    'a Redis that is full takes no tasks and no answers, with one line, and all of them once there is room',
    { timeout: patience(30_000) },
    async () => {
        const scene = new Scene();
        await scene.redis.start();
        const admin = new Redis(scene.redis.socket);
        scene.atEnd(() => admin.disconnect());
        const coordinator = await scene.coordinate();
        await scene.work();
        const start = (index: number, ms: number) => {
            const mark = scene.mark(index);
            return coordinator.start(makeRowTask(index, { do: 'sleep', ms, mark })).completion;
        };
        const before = start(0, 600);
        await vi.waitUntil(() => countStarts(scene.mark(0)) === 1, SOON);
        await admin.config('SET', 'maxmemory', '1');
        const after = [1, 2, 3].map((index) => start(index, 1));
        await vi.waitUntil(
            () => scene.told.some((line) => line.startsWith('Redis does not accept tasks')),
            SOON,
        );
        await new Promise((resolve) => setTimeout(resolve, 800));
        expect(countStarts(scene.mark(1))).toBe(0);
        await admin.config('SET', 'maxmemory', '0');
        for (const { outcome } of await Promise.all([before, ...after])) expect(outcome.kind).toBe('verdict');
        expect(scene.told.filter((line) => line.startsWith('Redis does not accept tasks'))).toHaveLength(1);
        expect([1, 2, 3].map((index) => countStarts(scene.mark(index)))).toEqual([1, 1, 1]);
        // Its lock may have expired meanwhile, so the task in flight may run again.
        expect([1, 2]).toContain(countStarts(scene.mark(0)));
    },
);

const freePort = (): Promise<number> =>
    new Promise((resolve) => {
        const server = createServer().listen(0, '127.0.0.1', () => {
            const address = server.address();
            server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
        });
    });

it.skipIf(NO_REDIS !== null)(
    'a Redis that fails over to its replica, and is a replica itself then, costs what was in flight at most',
    { timeout: patience(40_000) },
    async () => {
        const [port, otherPort] = [await freePort(), await freePort()];
        const on = (one: number): string[] => ['--bind', '127.0.0.1', '--port', String(one)];
        const scene = new Scene(on(port));
        await scene.redis.start();
        const replica = new PrivateRedis(on(otherPort));
        scene.atEnd(() => replica.end());
        await replica.start();
        const [first, second] = [new Redis(scene.redis.socket), new Redis(replica.socket)];
        scene.atEnd(() => [first, second].map((one) => one.disconnect()));
        await second.replicaof('127.0.0.1', String(port));
        await vi.waitUntil(async () => (await second.info('replication')).includes('link_status:up'), SOON);
        const link = await scene.link();
        const coordinator = await scene.coordinate(link.access);
        await scene.work(link.access);
        const running = Array.from({ length: 12 }, (_, index) =>
            coordinator.start(makeRowTask(index, { do: 'sleep', ms: 200, mark: scene.mark(index) })),
        );
        await running[1]?.completion;
        await second.replicaof('NO', 'ONE');
        link.redirect(replica.socket);
        await first.replicaof('127.0.0.1', String(otherPort));
        const ended = await Promise.all(running.map(({ completion }) => completion));
        expect(ended.map(({ outcome }) => outcome.kind)).toEqual(Array(12).fill('verdict'));
        const starts = running.map((_, index) => countStarts(scene.mark(index)));
        expect(
            starts.every((count) => count === 1 || count === 2),
            String(starts),
        ).toBe(true);
        // Two tasks in the slots, and two answers that were not yet replicated.
        expect(starts.filter((count) => count === 2).length, String(starts)).toBeLessThanOrEqual(4);
    },
);

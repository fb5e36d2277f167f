import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createAsyncBackend } from '../../src/backend/async.js';
import type { Backend } from '../../src/backend/backend.js';
import { createProcessBackend } from '../../src/backend/process.js';
import { createThreadBackend } from '../../src/backend/thread.js';
import type { ModuleDescriptor } from '../../src/executor/module-kind.js';
import type { Json } from '../../src/model/json.js';
import type { Task, TaskLog } from '../../src/model/task.js';
import { TaskServer } from '../../src/backend/worker/serve.js';
import { createExecutor } from '../../src/executor/kinds.js';
import { queueBackend } from '../rig/queue-backend.js';
import { NO_REDIS, PrivateRedis } from '../rig/redis.js';
import { LONG, sampled } from '../rig/long.js';
import { patience } from '../rig/slowness.js';

/*
 * The contract of every backend. Workers are started from dist/, as in the product: `npm test` builds first.
 */

const WORKER = join(import.meta.dirname, '../../dist/backend/worker');

const descriptor: ModuleDescriptor = {
    kind: 'module',
    file: join(import.meta.dirname, '../rig/tasks/obey.mjs'),
    exportName: 'default',
    timeout: 30,
};

const lines: TaskLog[] = [];
const onLog = (line: TaskLog): void => void lines.push(line);

if (NO_REDIS !== null) console.error(`backend queue: skipped, ${NO_REDIS}`);
const redis = new PrivateRedis();
beforeAll(async () => void (NO_REDIS === null && (await redis.start())), patience(10_000));
afterAll(() => redis.end());

const BACKENDS: Readonly<Record<'thread' | 'process' | 'async' | 'queue', (concurrency: number) => Backend>> =
    {
        thread: (concurrency) =>
            createThreadBackend({
                entry: pathToFileURL(join(WORKER, 'thread.js')).href,
                descriptor,
                concurrency,
                onLog,
            }),
        process: (concurrency) =>
            createProcessBackend({ entry: join(WORKER, 'process.js'), descriptor, concurrency, onLog }),
        async: () => createAsyncBackend(new TaskServer(createExecutor(descriptor), onLog)),
        queue: (concurrency) =>
            queueBackend(redis.access, { entry: join(WORKER, 'process.js'), descriptor, concurrency, onLog }),
    };

const usable = Object.entries(BACKENDS).filter(([name]) => name !== 'queue' || NO_REDIS === null);

let nextIndex = 0;
const task = (data: Json): Task => ({
    sample: 's',
    group: 'task',
    index: nextIndex++,
    fingerprint: 'v1-sha256-0',
    input: { kind: 'data', data },
    limits: null,
    stage: null,
    attempt: 1,
    confirmed: [],
    confirming: null,
    settles: true,
});

/** Each thread loads its modules separately. */
const MANY = LONG ? 24 : 12;

describe('many threads', { timeout: patience(30_000) }, () => {
    const start = (backend: Backend, count: number) =>
        Array.from({ length: count }, (_, value) => backend.start(task({ do: 'answer', value })).completion);

    it('start a few at a time, and the first ones work meanwhile', async () => {
        const backend = BACKENDS.thread(MANY);
        const completions = await Promise.all(start(backend, MANY));
        expect(completions.map(({ outcome }) => outcome.kind)).toEqual(Array(MANY).fill('verdict'));
        expect(new Set(completions.map(({ workerId }) => workerId)).size).toBeLessThan(MANY);
        await backend.close();
    });

    it('are not ended while they load their modules, which would abort Node 20', async () => {
        for (const wait of sampled([0, 60, 150], 1)) {
            const backend = BACKENDS.thread(MANY);
            const completions = start(backend, 2 * MANY);
            await new Promise((resolve) => setTimeout(resolve, wait));
            await backend.close();
            for (const { outcome } of await Promise.all(completions)) {
                expect(['verdict', 'abort', 'failure']).toContain(outcome.kind);
            }
        }
    });
});

describe.each(usable)('backend %s', { timeout: patience(20_000) }, (name, create) => {
    let backend: Backend;
    let shared: Backend | null = null;
    const others: Backend[] = [];
    afterEach(() => Promise.all(others.splice(0).map((one) => one.close())), patience(5000));
    afterAll(() => shared?.close(), patience(5000));

    /** A backend for this test alone, closed after it. */
    const open = (concurrency: number): Backend => {
        const opened = create(concurrency);
        others.push(opened);
        return opened;
    };
    /** A backend of two workers, shared by tests that leave it unchanged. */
    const share = (): Backend => (shared ??= create(2));

    const run = (data: Json) => backend.start(task(data)).completion;

    it('answers every task with its own result, in whatever number', async () => {
        backend = share();
        const values = Array.from({ length: 300 }, (_, value) => value);
        const completions = await Promise.all(values.map((value) => run({ do: 'answer', value })));
        expect(completions.map(({ outcome }) => outcome)).toMatchObject(
            values.map((value) => ({
                kind: 'verdict',
                verdict: 'Accepted',
                result: { value, accepted: true },
            })),
        );
        expect(completions.every(({ duration, startedAt }) => duration >= 0 && startedAt > 0)).toBe(true);
    });

    it('turns a throw into a failure of that task alone', async () => {
        backend = share();
        const [bad, good] = await Promise.all([run({ do: 'throw' }), run({ do: 'answer', value: 1 })]);
        expect(bad.outcome).toMatchObject({
            kind: 'failure',
            failure: { reason: 'task-threw', message: 'told to throw' },
        });
        expect(good.outcome).toMatchObject({ kind: 'verdict', result: { value: 1 } });
    });

    it('passes on what a task logs, with the task it is of, cut to a bound', async () => {
        backend = share();
        lines.length = 0;
        const asked = task({ do: 'log', messages: ['one', 'x'.repeat(20_000)] });
        await backend.start(asked).completion;
        await expect.poll(() => lines.length).toBe(2);
        const { sample, group, index, attempt } = asked;
        expect(lines[0]).toEqual({ sample, group, index, attempt, message: 'one' });
        expect(lines[1]?.message).toHaveLength(16_384);
    });

    it('waits until a step of a task is saved, and gives saved ones to the next attempt', async () => {
        backend = share();
        const saved: string[] = [];
        let inTime = true;
        const first = backend.start(task({ do: 'steps', names: ['search', 'read'] }), {
            saveStep: async ({ name, value }) => {
                inTime &&= saved.length === (name === 'search' ? 0 : 1);
                await new Promise((resolve) => setTimeout(resolve, 20));
                saved.push(`${name} ${JSON.stringify(value)}`);
            },
        });
        expect((await first.completion).outcome).toMatchObject({ kind: 'verdict', result: { before: [] } });
        expect(saved).toEqual(['search {"of":"search"}', 'read {"of":"read"}']);
        expect(inTime).toBe(true);
        const again = { ...task({ do: 'steps', names: ['search'] }), steps: { search: {} } };
        const { outcome } = await backend.start(again).completion;
        expect(outcome).toMatchObject({ result: { before: ['search'] } });
        const refused = backend.start(task({ do: 'steps', names: ['a'] }), {
            saveStep: () => Promise.reject(new Error('the disk is full')),
        });
        expect((await refused.completion).outcome).toMatchObject({
            kind: 'failure',
            failure: { message: expect.stringContaining('the disk is full') as string },
        });
    });

    it('takes the verdict that a result says', async () => {
        backend = share();
        for (const [result, verdict] of [
            [{ accepted: true }, 'Accepted'],
            [{}, 'Accepted'],
            [{ accepted: false }, 'WrongAnswer'],
            [{ verdict: 'TimeLimitExceeded' }, 'TimeLimitExceeded'],
            [{ accepted: false, verdict: 'RuntimeError' }, 'RuntimeError'],
        ] satisfies [Json, string][]) {
            const { outcome } = await run({ do: 'return', result });
            expect(outcome, JSON.stringify(result)).toMatchObject({
                kind: 'verdict',
                verdict,
                result: { accepted: verdict === 'Accepted', verdict },
            });
        }
    });

    it('takes a result that says no verdict for a failure, never a verdict', async () => {
        backend = share();
        for (const [result, message] of [
            [{ accepted: 0 }, 'expected "accepted" of the result to be true or false, got 0'],
            [{ accepted: null }, 'expected "accepted" of the result to be true or false, got null'],
            [
                { verdict: 'Custom' },
                /^expected "verdict" of the result to be one of Accepted, .*; got "Custom"$/,
            ],
            [
                { accepted: true, verdict: 'WrongAnswer' },
                'the result contradicts itself: "accepted" is true and "verdict" is WrongAnswer',
            ],
        ] satisfies [Json, string | RegExp][]) {
            const { outcome } = await run({ do: 'return', result });
            expect(outcome, JSON.stringify(result)).toMatchObject({
                kind: 'failure',
                failure: { reason: 'task-threw' },
            });
            expect(outcome.kind === 'failure' && outcome.failure.message).toMatch(message);
        }
    });

    it('aborts a task that listens', async () => {
        backend = share();
        const running = backend.start(task({ do: 'wait', ms: 60_000 }));
        setTimeout(() => running.abort(), 100);
        const { outcome } = await running.completion;
        expect(outcome).toEqual({ kind: 'abort' });
    });

    it('ends tasks that run when it is closed', async () => {
        backend = open(1);
        const { completion } = backend.start(task({ do: 'wait', ms: 60_000 }));
        await new Promise((resolve) => setTimeout(resolve, 200));
        await backend.close();
        expect((await completion).outcome).toEqual({ kind: 'abort' });
    });

    it('goes on after its size changed', async () => {
        backend = open(1);
        const before = run({ do: 'sleep', ms: 100 });
        backend.resize(3);
        const after = await Promise.all([1, 2, 3].map((value) => run({ do: 'answer', value })));
        expect(after.map(({ outcome }) => outcome.kind)).toEqual(['verdict', 'verdict', 'verdict']);
        expect((await before).outcome).toMatchObject({ kind: 'verdict', result: { slept: true } });
    });

    it('closes soon after its size changed before its workers had started', async () => {
        backend = open(1);
        backend.resize(2);
        expect((await run({ do: 'answer', value: 1 })).outcome.kind).toBe('verdict');
        const startedAt = performance.now();
        await backend.close();
        // Closing does not wait ten seconds for the workers of the earlier size.
        expect(performance.now() - startedAt).toBeLessThan(9000);
    });

    it('ends no running task when it shrinks, however early others are through', async () => {
        backend = open(3);
        const running = [100, 1000, 1000].map((ms) => run({ do: 'sleep', ms }));
        // By then all three are running.
        await new Promise((resolve) => setTimeout(resolve, 50));
        backend.resize(1);
        const outcomes = (await Promise.all(running)).map(({ outcome }) => outcome.kind);
        expect(outcomes).toEqual(['verdict', 'verdict', 'verdict']);
    });

    // The remaining tests end or block the worker; in the main process this would end or block the run, as documented.
    if (name === 'async') return;

    it('survives a worker that exits, and tells which task it was', async () => {
        backend = open(2);
        const orders = [
            { do: 'answer', value: 1 },
            { do: 'exit' },
            ...Array.from({ length: 40 }, (_, value) => ({ do: 'answer', value })),
        ];
        const outcomes = (await Promise.all(orders.map(run))).map(({ outcome }) => outcome);
        expect(outcomes[1]).toMatchObject({ kind: 'failure', failure: { reason: 'worker-died' } });
        expect(outcomes.filter(({ kind }) => kind === 'verdict')).toHaveLength(orders.length - 1);
    });

    it('ends a task that blocks its worker', async () => {
        backend = open(1);
        const running = backend.start(task({ do: 'hang' }));
        setTimeout(() => running.abort(), 100);
        expect((await running.completion).outcome).toEqual({ kind: 'abort' });
        expect((await run({ do: 'answer', value: 2 })).outcome).toMatchObject({ result: { value: 2 } });
    });

    if (name === 'thread') return;

    it('survives a native crash', async () => {
        backend = open(1);
        expect((await run({ do: 'crash' })).outcome).toMatchObject({
            kind: 'failure',
            failure: { reason: 'worker-died' },
        });
        expect((await run({ do: 'answer', value: 3 })).outcome).toMatchObject({ result: { value: 3 } });
    });
});

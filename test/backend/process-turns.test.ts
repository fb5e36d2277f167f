import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import type { Backend, Completion, Running } from '../../src/backend/backend.js';
import { createProcessBackend } from '../../src/backend/process.js';
import type { Json, JsonObject } from '../../src/model/json.js';
import { makeRowTask, OBEYING } from '../rig/queue-backend.js';
import { patience, SOON } from '../rig/slowness.js';

/*
 * Tasks that are sent together to one process and take turns there. Each leaves a mark when it runs.
 */

const TIMEOUT = patience(30_000);

const folder = mkdtempSync(join(tmpdir(), 'process-turns-'));
const backends: Backend[] = [];
let nextRow = 0;

afterEach(async () => {
    await Promise.all(backends.splice(0).map((backend) => backend.close()));
});
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

interface Started extends Running {
    readonly runs: () => number;
}

function start(backend: Backend, order: JsonObject): Started {
    const row = nextRow++;
    const mark = join(folder, String(row));
    const running = backend.start(makeRowTask(row, { ...order, mark }));
    const runs = (): number => (existsSync(mark) ? readFileSync(mark, 'utf8').trim().split('\n').length : 0);
    return { ...running, runs };
}

/** A backend whose processes have already answered, so that it sends them tasks in advance. */
async function open(concurrency: number): Promise<Backend> {
    const backend = createProcessBackend({ ...OBEYING, concurrency });
    backends.push(backend);
    const first = Array.from({ length: concurrency }, () => start(backend, { do: 'sleep', ms: 200 }));
    await Promise.all(first.map(({ completion }) => completion));
    return backend;
}

const answers = (backend: Backend, count: number): Started[] =>
    Array.from({ length: count }, (_, value) => start(backend, { do: 'answer', value }));

const kinds = async (tasks: readonly Started[]): Promise<Completion['outcome']['kind'][]> =>
    (await Promise.all(tasks.map(({ completion }) => completion))).map(({ outcome }) => outcome.kind);

it('blames the one task that ends its process, and runs those behind it once', {
    timeout: TIMEOUT,
}, async () => {
    const backend = await open(1);
    const before = answers(backend, 3);
    const culprit = start(backend, { do: 'crash' });
    const behind = answers(backend, 5);
    expect((await culprit.completion).outcome).toMatchObject({
        kind: 'failure',
        failure: { reason: 'worker-died' },
    });
    expect(await kinds([...before, ...behind])).toEqual(Array(8).fill('verdict'));
    expect(culprit.runs()).toBe(1);
    expect(behind.map(({ runs }) => runs())).toEqual(Array(5).fill(1));
});

it('runs tasks elsewhere that wait behind one that blocks its process', { timeout: TIMEOUT }, async () => {
    const backend = await open(2);
    let isOver = false;
    const blocking = start(backend, { do: 'spin', ms: patience(2000) });
    void blocking.completion.finally(() => {
        isOver = true;
    });
    const others = answers(backend, 11);
    expect(await kinds(others)).toEqual(Array(11).fill('verdict'));
    expect(isOver).toBe(false);
    await blocking.completion;
    expect([blocking, ...others].map(({ runs }) => runs())).toEqual(Array(12).fill(1));
});

it('takes back a task that has not begun, and no other', { timeout: TIMEOUT }, async () => {
    const backend = await open(1);
    const blocking = start(backend, { do: 'spin', ms: patience(1000) });
    const behind = answers(backend, 3);
    await vi.waitUntil(() => blocking.runs() === 1, SOON);
    for (const task of [blocking, ...behind]) task.withdraw?.();
    expect(await kinds(behind)).toEqual(['abort', 'abort', 'abort']);
    expect((await blocking.completion).outcome.kind).toBe('verdict');
    // Later tasks run; the cancelled ones do not.
    expect(await kinds(answers(backend, 1))).toEqual(['verdict']);
    expect(behind.map(({ runs }) => runs())).toEqual([0, 0, 0]);
});

it('fails a task alone that cannot be sent to a process', { timeout: TIMEOUT }, async () => {
    const backend = await open(1);
    let deep: Json = null;
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    const before = start(backend, { do: 'answer', value: 1 });
    const unsendable = start(backend, { do: 'answer', value: deep });
    const after = start(backend, { do: 'answer', value: 2 });
    expect(await kinds([before, after])).toEqual(['verdict', 'verdict']);
    expect((await unsendable.completion).outcome).toMatchObject({
        kind: 'failure',
        failure: { reason: 'environment' },
    });
});

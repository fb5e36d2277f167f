import { expect, it } from 'vitest';
import { EndpointPool } from '../../../src/endpoint/pool.js';
import type { JsonObject } from '../../../src/model/json.js';
import { acquireByMessage, PlaceDesk } from '../../../src/executor/servers/places.js';

/** A desk over one server that takes one request at a time, and a worker's side for each job. */
function openDesk() {
    const spent: JsonObject[] = [];
    const pool = new EndpointPool({
        endpoints: [{ address: 'http://a', concurrency: 1, rate: null }],
        reserve: [],
        limits: 'fixed',
        defaultConcurrency: 1,
        endpointWait: null,
        probe: () => Promise.resolve({ outcome: 'ok', wait: null, message: '' }),
    });
    const desk = new PlaceDesk({ pool, onSpent: (one) => spent.push(one) });
    const acquire = (job: number) =>
        acquireByMessage(
            { ask: (request) => desk.serve(job, request), signal: new AbortController().signal },
            {},
        );
    return { desk, pool, spent, acquire };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it('gives a place to one worker after the other, and learns from what it is told at the end', async () => {
    const { desk, pool, acquire } = openDesk();
    const first = await acquire(1);
    expect([first.endpoint, desk.holds(1), desk.holds(2)]).toEqual(['http://a', true, false]);
    let second: Awaited<ReturnType<typeof acquire>> | null = null;
    const wait = async (): Promise<void> => {
        second = await acquire(2);
    };
    const waiting = wait();
    await settled();
    expect(second).toBeNull();
    first.report('ok', 10);
    first.report('bad-request', 10);
    first.release();
    first.release();
    await waiting;
    expect(pool.states()[0]).toMatchObject({ done: 1, failures: 1, inFlight: 1 });
    pool.close();
});

it('takes the places of a lost worker back, and counts what it tells late without giving it anything', async () => {
    const { desk, pool, spent, acquire } = openDesk();
    const lost = await acquire(1);
    desk.forget(1);
    expect(pool.states()[0]).toMatchObject({ inFlight: 0 });
    // The next worker has the same task, and late messages of the first one must not release its slot.
    await acquire(1);
    lost.release();
    desk.hear(1, { do: 'acquire' });
    desk.hear(1, { do: 'spent', spent: { isAnswered: true } });
    desk.hear(1, { do: 'release', lease: 'made-up', reports: [{ outcome: 'ok', took: 1 }] });
    await settled();
    expect(pool.states()[0]).toMatchObject({ inFlight: 1, done: 0 });
    expect(spent).toEqual([{ isAnswered: true }]);
    pool.close();
});

it('believes nothing of what makes no sense', async () => {
    const { desk, pool, acquire } = openDesk();
    await acquire(1);
    const [lease] = Object.values((await desk.serve(1, { do: 'doubted', task: 't' })) ?? {});
    expect(lease).toBeNull();
    for (const reports of [null, 'x', [1], [{ outcome: 'fine', took: 1 }], [{ outcome: 'ok', took: 'long' }]])
        desk.hear(1, { do: 'report', lease: 'x', reports });
    expect(await desk.serve(1, { do: 'constructor' })).toBeNull();
    expect(pool.states()[0]).toMatchObject({ done: 0, failures: 0 });
    pool.close();
});

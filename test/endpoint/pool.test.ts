import { describe, expect, it } from 'vitest';
import { FAILURES_TO_OPEN } from '../../src/endpoint/breaker.js';
import { type Lease, NoEndpointError } from '../../src/endpoint/pool.js';
import { FakeClock } from '../rig/fake-clock.js';
import { never, poolOf, peek, leaseOf, fail } from './pool-rig.js';

describe('EndpointPool', () => {
    it('waits out a Retry-After of two hours, and then finds its limit again', async () => {
        const { pool, clock } = poolOf(1, { limits: 'adaptive' }, 4);
        const first = await leaseOf(pool);
        first.report('rate', 5, 2 * 3_600_000);
        first.release();
        const next = pool.acquire(never);
        await clock.pass(2 * 3_600_000 - 1000);
        expect(await peek(next)).toBe('waiting');
        await clock.pass(1001);
        let lease = await next;
        expect(pool.concurrency).toBe(2);
        for (let time = 0; time < 300 && pool.concurrency < 4; time += 1) {
            lease.report('ok', 5);
            lease.release();
            lease = await leaseOf(pool);
        }
        expect(pool.concurrency).toBe(4);
    });

    it('gives the least loaded endpoint, and takes turns among equals', async () => {
        const { pool } = poolOf(3, {}, 2);
        const order: string[] = [];
        for (let time = 0; time < 6; time += 1) order.push((await leaseOf(pool)).endpoint);
        expect(order.slice(0, 3).sort()).toEqual(['e0', 'e1', 'e2']);
        expect(order.slice(3)).toEqual(order.slice(0, 3));
        expect(pool.concurrency).toBe(6);
    });

    it('makes the next wait until a place is free, first come first served', async () => {
        const { pool } = poolOf(1);
        const first = await leaseOf(pool);
        const second = pool.acquire(never);
        const third = pool.acquire(never);
        expect(await peek(second)).toBe('waiting');
        first.release();
        first.release();
        const given = await second;
        expect(await peek(third)).toBe('waiting');
        given.release();
        await third;
    });

    it('lets a waiter leave, with the reason of its signal', async () => {
        const { pool } = poolOf(1);
        const lease = await leaseOf(pool);
        const controller = new AbortController();
        const waiting = pool.acquire(controller.signal);
        controller.abort(new Error('stop'));
        await expect(waiting).rejects.toThrow('stop');
        lease.release();
        expect((await leaseOf(pool)).endpoint).toBe('e0');
    });

    it('asks each endpoint how it is before using it', async () => {
        const { pool, health, probes, said } = poolOf(2);
        health.set('e0', 'broken');
        expect((await leaseOf(pool)).endpoint).toBe('e1');
        expect(probes.sort()).toEqual(['e0', 'e1']);
        expect(said).toEqual(['e0 down']);
    });

    it('takes a failing endpoint out, probes it later, and waits longer each time', async () => {
        const { pool, clock, health, probes, said } = poolOf(1);
        await fail(pool, FAILURES_TO_OPEN);
        expect(said[0]).toBe('e0 down');
        expect(said[1]).toMatch(/^paused: no endpoint can be used \(1 down\)/);
        health.set('e0', 'broken');
        const waiting = pool.acquire(never);
        probes.length = 0;
        await clock.pass(749);
        expect(probes).toHaveLength(0);
        await clock.pass(1);
        expect(probes).toHaveLength(1);
        await clock.pass(1499);
        expect(probes).toHaveLength(1);
        await clock.pass(1);
        expect(probes).toHaveLength(2);
        health.set('e0', 'ok');
        await clock.pass(3000);
        expect((await waiting).endpoint).toBe('e0');
        expect(said.slice(2)).toEqual(['e0 healthy', 'resumed']);
        expect(pool.states()[0]?.coolDowns).toBe(3);
    });

    it('counts the repeated failure of one task once, and of several tasks each', async () => {
        const { pool, said } = poolOf(1);
        const strike = async (task: string | null): Promise<void> => {
            const lease = await leaseOf(pool);
            lease.report('broken', 5, null, 'SandboxError', task);
            lease.release();
        };
        for (let time = 0; time < 3 * FAILURES_TO_OPEN; time += 1) await strike('a');
        expect(said).toEqual([]);
        for (let n = 1; n < FAILURES_TO_OPEN; n += 1) await strike(`b${n}`);
        expect(said).toContain('e0 down');
    });

    it('gives no task to an endpoint that is down, however long it stays so', async () => {
        const { pool, clock, health } = poolOf(2);
        health.set('e0', 'broken');
        for (let time = 0; time < 50; time += 1) {
            const lease = await leaseOf(pool);
            expect(lease.endpoint).toBe('e1');
            lease.report('ok', 5);
            lease.release();
            await clock.pass(10_000);
        }
    });

    it('waits as long as a server asks, without a probe', async () => {
        const { pool, clock, probes } = poolOf(1);
        const lease = await leaseOf(pool);
        lease.report('rate', 5, 30_000);
        lease.release();
        probes.length = 0;
        const waiting = pool.acquire(never);
        await clock.pass(29_999);
        expect(await peek(waiting)).toBe('waiting');
        await clock.pass(1);
        expect((await waiting).endpoint).toBe('e0');
        expect(probes).toHaveLength(0);
    });

    it('gives up after endpointWait, counted only while somebody waits', async () => {
        const { pool, clock, health, said } = poolOf(1, { endpointWait: 60 });
        await fail(pool, FAILURES_TO_OPEN);
        health.set('e0', 'broken');
        await clock.pass(500_000);
        const waiting = pool.acquire(never);
        waiting.catch(() => {});
        await clock.pass(59_000);
        expect(said.some((line) => line.startsWith('gave up'))).toBe(false);
        await clock.pass(1000);
        await expect(waiting).rejects.toThrow(NoEndpointError);
        expect(said.at(-1)).toBe('gave up: no endpoint came back within 60 s (--endpoint-wait)');
    });

    it('does not take a slow first probe for an outage', async () => {
        let resolve = (): void => {};
        const answer = new Promise<void>((done) => {
            resolve = done;
        });
        const { pool, clock, said } = poolOf(1, {
            endpointWait: 1,
            probe: async () => {
                await answer;
                return { outcome: 'ok', wait: null, message: '' };
            },
        });
        const waiting = pool.acquire(never);
        await clock.pass(20_000);
        // Another request arrives meanwhile, and everything is re-evaluated.
        const second = pool.acquire(never);
        expect(await peek(waiting)).toBe('waiting');
        resolve();
        const lease = await waiting;
        lease.release();
        expect((await second).endpoint).toBe('e0');
        expect(said).toEqual([]);
    });

    it('gives up at once when all refuse us, and goes on when only some do', async () => {
        const { pool, said } = poolOf(2);
        const lease = await leaseOf(pool);
        lease.report('refused', 5, null, 'HTTP 401');
        lease.release();
        const other = await leaseOf(pool);
        expect(other.endpoint).not.toBe(lease.endpoint);
        other.report('refused', 5, null, 'HTTP 403');
        other.release();
        await expect(pool.acquire(never)).rejects.toThrow(/HTTP 401.*HTTP 403|HTTP 403.*HTTP 401/);
        expect(said.filter((line) => line.startsWith('gave up'))).toHaveLength(1);
    });

    it('tells a rejected request from an endpoint that rejects all', async () => {
        const worked = poolOf(1);
        await fail(worked.pool, 1, 'ok');
        await fail(worked.pool, 20, 'bad-request');
        expect(worked.pool.states()[0]).toMatchObject({ state: 'healthy', failures: 20 });
        const refusing = poolOf(1);
        await fail(refusing.pool, 5, 'bad-request');
        expect(refusing.pool.states()[0]?.state).toBe('refused');
    });

    it('avoids the endpoint named, unless it is the only one that works', async () => {
        const { pool } = poolOf(2, {}, 4);
        for (let time = 0; time < 4; time += 1)
            expect((await leaseOf(pool, { avoid: new Set(['e0']) })).endpoint).toBe('e1');
        const waiting = pool.acquire(never, { avoid: new Set(['e0']) });
        expect(await peek(waiting)).toBe('waiting');
        const single = poolOf(1);
        expect((await leaseOf(single.pool, { avoid: new Set(['e0']) })).endpoint).toBe('e0');
    });

    it('keeps the reserve for those who ask, and does without where it is down', async () => {
        const reserve = [{ address: 'r0', concurrency: 1, rate: null }];
        const { pool } = poolOf(1, { reserve });
        expect((await leaseOf(pool)).endpoint).toBe('e0');
        const waiting = pool.acquire(never);
        expect(await peek(waiting)).toBe('waiting');
        expect((await leaseOf(pool, { prefer: 'reserve' })).endpoint).toBe('r0');
        const down = poolOf(1, { reserve });
        down.health.set('r0', 'broken');
        expect((await leaseOf(down.pool, { prefer: 'reserve' })).endpoint).toBe('e0');
    });

    it('halves an adaptive limit on a rate error, grows it by one, and holds on overload', async () => {
        const { pool, clock } = poolOf(1, { limits: 'adaptive' }, 8);
        const limit = () => pool.states()[0]?.concurrency;
        await fail(pool, 1, 'rate');
        expect(limit()).toBe(4);
        await clock.pass(60_000);
        await fail(pool, 9, 'ok');
        await fail(pool, 1, 'overload');
        expect(limit()).toBe(4);
        await fail(pool, 10, 'ok');
        expect(limit()).toBe(5);
        await fail(pool, 100, 'ok');
        // Eight were too many once, so eight is retried only late.
        expect(limit()).toBe(7);
        await fail(pool, 200, 'ok');
        expect(limit()).toBe(8);
    });

    it('halves once for all requests that were in flight together', async () => {
        const { pool } = poolOf(1, { limits: 'adaptive' }, 16);
        const leases = await Promise.all(Array.from({ length: 16 }, () => leaseOf(pool)));
        for (const lease of leases) lease.report('rate', 5);
        expect(pool.states()[0]?.concurrency).toBe(8);
    });

    it('waits as long as it is asked to, however long, and grows again after it', async () => {
        const { pool, clock } = poolOf(1, { limits: 'adaptive' }, 4);
        const first = await leaseOf(pool);
        first.report('rate', 5, 20_000);
        first.release();
        const next = pool.acquire(never);
        await clock.pass(19_000);
        expect(await peek(next)).toBe('waiting');
        await clock.pass(1_500);
        (await next).release();
        expect(pool.states()[0]?.concurrency).toBe(2);
        await fail(pool, 10, 'ok');
        expect(pool.states()[0]?.concurrency).toBe(3);
    });

    it('shares the limits of an account, and keeps those of another and of another model apart', async () => {
        const one = (address: string, account: string, model: string) => ({
            address,
            account,
            models: [model],
            concurrency: 2,
            rate: null,
        });
        const endpoints = [
            one('a1', 'A', 'm'),
            one('a2', 'A', 'm'),
            one('b', 'B', 'm'),
            one('a-n', 'A', 'n'),
        ];
        const { pool, clock } = poolOf(0, { endpoints, limits: 'adaptive' });
        const leases = await Promise.all(Array.from({ length: 4 }, () => leaseOf(pool, { model: 'm' })));
        expect(leases.filter(({ endpoint }) => endpoint.startsWith('a'))).toHaveLength(2);
        expect(await peek(pool.acquire(never, { model: 'm' }))).toBe('waiting');
        expect((await leaseOf(pool, { model: 'n' })).endpoint).toBe('a-n');
        const ofA = leases.find(({ endpoint }) => endpoint.startsWith('a'));
        ofA?.report('rate', 5, 60_000);
        await clock.pass(0);
        const states = new Map(pool.states().map(({ endpoint, state }) => [endpoint, state]));
        expect(Object.fromEntries(states)).toEqual({
            'a1 (m)': 'cooling',
            'a2 (m)': 'cooling',
            'b (m)': 'healthy',
            'a-n (n)': 'healthy',
        });
    });

    it('gives up one model when nobody serves it any more, and goes on with the others', async () => {
        const one = (address: string, model: string) => ({
            address,
            models: [model],
            concurrency: 1,
            rate: null,
        });
        const { pool, said } = poolOf(0, { endpoints: [one('e0', 'm'), one('e1', 'n')] });
        const lease = await leaseOf(pool, { model: 'm' });
        lease.report('refused', 5, null, 'no credit');
        lease.release();
        await expect(pool.acquire(never, { model: 'm' })).rejects.toThrow('no credit');
        expect((await leaseOf(pool, { model: 'n' })).endpoint).toBe('e1');
        expect(said.filter((line) => line.startsWith('gave up'))).toEqual([]);
    });

    it('names the earliest time when all cool down', async () => {
        const { pool, said } = poolOf(2);
        for (const wait of [90_000, 40_000]) {
            const lease = await leaseOf(pool);
            lease.report('rate', 5, wait);
            lease.release();
        }
        expect(await peek(pool.acquire(never))).toBe('waiting');
        expect(said.filter((line) => line.startsWith('paused'))).toEqual([
            'paused: no endpoint can be used (0 down, 2 asked us to wait): waiting for one, at the earliest in 40 s',
        ]);
    });

    it('reserves tokens by the minute, and settles what was used', async () => {
        const settings = { address: 'e0', concurrency: 9, rate: null, tokensPerMinute: 600 };
        const { pool, clock } = poolOf(0, { endpoints: [settings] });
        const turn = async (tokens: number): Promise<{ lease: Lease; turn: Promise<void> }> => {
            const lease = await leaseOf(pool, { tokens });
            return { lease, turn: lease.turn(never) };
        };
        const first = await turn(500);
        await first.turn;
        const second = await turn(300);
        expect(await peek(second.turn)).toBe('waiting');
        await clock.pass(60_000);
        expect(await peek(second.turn)).toBe('waiting');
        await clock.pass(1_000);
        await second.turn;
        second.lease.settle(0);
        const third = await turn(300);
        expect(await peek(third.turn)).toBeUndefined();
    });

    it('keeps to a rate', async () => {
        const clock = new FakeClock();
        const settings = { address: 'e0', concurrency: 1, rate: 4 };
        const { pool } = poolOf(0, { endpoints: [settings], clock });
        const lease = await leaseOf(pool);
        let sent = 0;
        const sending = (async () => {
            for (let time = 0; time < 9; time += 1) {
                await lease.turn(never);
                sent += 1;
            }
        })();
        await clock.pass(0);
        expect(sent).toBe(1);
        await clock.pass(1000);
        expect(sent).toBe(5);
        await clock.pass(1000);
        await sending;
        const controller = new AbortController();
        const turn = lease.turn(controller.signal);
        controller.abort(new Error('stop'));
        await expect(turn).rejects.toThrow('stop');
    });

    it('turns everybody away when it is closed', async () => {
        const { pool } = poolOf(1);
        await leaseOf(pool);
        const waiting = pool.acquire(never);
        pool.close();
        await expect(waiting).rejects.toThrow(NoEndpointError);
        await expect(pool.acquire(never)).rejects.toThrow(NoEndpointError);
    });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../rig/long.js';
import { never, poolOf } from './pool-rig.js';

describe('EndpointPool, whatever happens', () => {
    const plan = fc.record({
        concurrencies: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 }),
        /** Each endpoint's chance to fail a request, in percent. */
        faults: fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 6, maxLength: 6 }),
        durations: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 20 }),
        jobs: fc.integer({ min: 1, max: 120 }),
        workers: fc.integer({ min: 1, max: 30 }),
        adaptive: fc.boolean(),
        seed: fc.integer({ min: 1, max: 2 ** 30 }),
    });

    it('serves every job, keeps every limit, asks no endpoint that is down', async () => {
        await fc.assert(
            fc.asyncProperty(plan, async (given) => {
                const random = lehmer(given.seed);
                const { pool, clock } = poolOf(0, {
                    endpoints: given.concurrencies.map((concurrency, index) => ({
                        address: `e${index}`,
                        concurrency,
                        rate: null,
                    })),
                    limits: given.adaptive ? 'adaptive' : 'fixed',
                    random,
                    probe: async () => ({
                        outcome: random() < 0.2 ? 'broken' : 'ok',
                        wait: null,
                        message: '',
                    }),
                });
                let left = given.jobs;
                let done = 0;
                const inFlight = new Map<string, number>();
                const worker = async () => {
                    while (left > 0) {
                        left -= 1;
                        for (let over = false; !over; ) {
                            const lease = await pool.acquire(never);
                            const index = Number(lease.endpoint.slice(1));
                            const now = (inFlight.get(lease.endpoint) ?? 0) + 1;
                            inFlight.set(lease.endpoint, now);
                            expect(now).toBeLessThanOrEqual(given.concurrencies[index] ?? 0);
                            expect(pool.states()[index]?.state).toBe('healthy');
                            const took = given.durations[Math.floor(random() * given.durations.length)] ?? 1;
                            await new Promise<void>((resolve) => void clock.after(took, resolve));
                            over = random() * 100 >= (given.faults[index] ?? 0);
                            inFlight.set(
                                lease.endpoint,
                                now === 0 ? 0 : (inFlight.get(lease.endpoint) ?? 1) - 1,
                            );
                            lease.report(over ? 'ok' : random() < 0.3 ? 'rate' : 'broken', took);
                            lease.release();
                        }
                        done += 1;
                    }
                };
                const all = Promise.all(Array.from({ length: given.workers }, worker));
                for (let step = 0; step < 400 && done < given.jobs; step += 1) await clock.pass(10_000);
                expect(done).toBe(given.jobs);
                await all;
                expect(pool.states().every((state) => state.inFlight === 0)).toBe(true);
                expect(pool.states().reduce((sum, state) => sum + state.done, 0)).toBe(given.jobs);
                pool.close();
            }),
            { numRuns: runs(60) },
        );
    });

    it('shares work evenly among equals', async () => {
        const { pool, clock } = poolOf(8, {}, 2);
        const counts = new Map<string, number>();
        const worker = async () => {
            for (let time = 0; time < 50; time += 1) {
                const lease = await pool.acquire(never);
                counts.set(lease.endpoint, (counts.get(lease.endpoint) ?? 0) + 1);
                await new Promise<void>((resolve) => void clock.after(20, resolve));
                lease.report('ok', 20);
                lease.release();
            }
        };
        const all = Promise.all(Array.from({ length: 12 }, worker));
        await clock.pass(60_000);
        await all;
        const shares = [...counts.values()];
        expect(shares.reduce((sum, one) => sum + one, 0)).toBe(600);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(8);
    });
});

/** Pseudo-random numbers from 0 to 1, determined by the seed. */
function lehmer(seed: number): () => number {
    let state = seed % 2147483647;
    return () => {
        state = (state * 48271) % 2147483647;
        return state / 2147483647;
    };
}

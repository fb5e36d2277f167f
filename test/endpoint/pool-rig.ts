import { setMaxListeners } from 'node:events';
import type { OutcomeClass } from '../../src/endpoint/outcome-class.js';
import { type AcquireOptions, EndpointPool, type Lease, type PoolOptions } from '../../src/endpoint/pool.js';
import { FakeClock, settle } from '../rig/fake-clock.js';

export const never: AbortSignal = new AbortController().signal;
setMaxListeners(0, never);

/** A pool with its own clock and endpoints `e0`, `e1`, ..., whose probes end as `health` says. */
export function poolOf(count: number, over: Partial<PoolOptions> = {}, concurrency: number | null = 1) {
    const clock = new FakeClock();
    const health = new Map<string, OutcomeClass>();
    const said: string[] = [];
    const probes: string[] = [];
    const pool = new EndpointPool({
        endpoints: Array.from({ length: count }, (_, index) => ({
            address: `e${index}`,
            concurrency,
            rate: null,
        })),
        reserve: [],
        limits: 'fixed',
        defaultConcurrency: 1,
        endpointWait: null,
        probe: async (address) => {
            probes.push(address);
            return { outcome: health.get(address) ?? 'ok', wait: null, message: `probe of ${address}` };
        },
        hooks: {
            changed: (state) => void said.push(`${state.endpoint} ${state.state}`),
            paused: (message) => void said.push(`paused: ${message}`),
            resumed: () => void said.push('resumed'),
            gaveUp: (message) => void said.push(`gave up: ${message}`),
        },
        clock,
        random: () => 0.5,
        ...over,
    });
    return { pool, clock, health, said, probes };
}

/** The value of `promise` if it is already settled. */
export async function peek<T>(promise: Promise<T>): Promise<T | 'waiting'> {
    await settle();
    return Promise.race([promise, Promise.resolve('waiting' as const)]);
}

export async function leaseOf(pool: EndpointPool, wanted: AcquireOptions = {}): Promise<Lease> {
    const lease = await peek(pool.acquire(never, wanted));
    if (lease === 'waiting') throw new Error('no place was given');
    return lease;
}

export async function fail(
    pool: EndpointPool,
    times: number,
    outcome: OutcomeClass = 'broken',
): Promise<void> {
    for (let time = 0; time < times; time += 1) {
        const lease = await leaseOf(pool);
        lease.report(outcome, 5);
        lease.release();
    }
}

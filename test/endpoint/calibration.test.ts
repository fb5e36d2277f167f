import { setMaxListeners } from 'node:events';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAILURES_TO_OPEN } from '../../src/endpoint/breaker.js';
import { calibrate } from '../../src/endpoint/calibration.js';
import { EndpointPool, type PoolOptions } from '../../src/endpoint/pool.js';
import { FakeClock, settle } from '../rig/fake-clock.js';
import { runs } from '../rig/long.js';

/** A machine with a number of cores behind some endpoints; further programs wait for a core. */
class Machine {
    inFlight = 0;
    mostInFlight = 0;
    sent = 0;
    readonly #waiting: (() => void)[] = [];
    #free: number;

    constructor(
        private readonly clock: FakeClock,
        cores: number,
        private readonly programMs: number,
    ) {
        this.#free = cores;
    }

    async runHello(): Promise<boolean> {
        this.sent += 1;
        this.inFlight += 1;
        this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
        if (this.#free > 0) this.#free -= 1;
        else await new Promise<void>((resolve) => this.#waiting.push(resolve));
        await new Promise<void>((resolve) => this.clock.after(this.programMs, resolve));
        const next = this.#waiting.shift();
        if (next === undefined) this.#free += 1;
        else next();
        this.inFlight -= 1;
        return true;
    }
}

/** Lets time pass until the promise is settled, with a bound. */
async function wait<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
    const state = { isOver: false };
    const over = promise.finally(() => {
        state.isOver = true;
    });
    for (let seconds = 0; seconds < 200 && !state.isOver; seconds += 1) await clock.pass(1000);
    if (!state.isOver) throw new Error('not settled after 200 s');
    return over;
}

const never = new AbortController().signal;
setMaxListeners(0, never);

function calibrateMachine(cores: number, programMs: number, atMost: number, count = 1) {
    const clock = new FakeClock();
    const machine = new Machine(clock, cores, programMs);
    const addresses = Array.from({ length: count }, (_, index) => `http://h:${index}`);
    const options = { addresses, atMost, runHello: () => machine.runHello(), clock, signal: never };
    return { clock, machine, found: wait(clock, calibrate(options)) };
}

describe('calibrate', () => {
    it('finds the number of programs at once that a machine is best at', async () => {
        await fc.assert(
            fc.asyncProperty(
                fc.constantFrom(1, 2, 4, 8, 16),
                fc.integer({ min: 30, max: 900 }),
                async (cores, programMs) => {
                    expect((await calibrateMachine(cores, programMs, 64).found)?.width).toBe(cores);
                },
            ),
            { numRuns: runs(40) },
        );
    });

    it('never sends more at once than it may, and shares a machine between its endpoints', async () => {
        const bounded = calibrateMachine(16, 100, 6);
        expect(await bounded.found).toMatchObject({ width: 6 });
        expect(bounded.machine.mostInFlight).toBe(6);
        const shared = calibrateMachine(8, 100, 64, 4);
        expect((await shared.found)?.width).toBe(2);
        const crowded = calibrateMachine(4, 100, 64, 16);
        expect((await crowded.found)?.width).toBe(1);
        expect(crowded.machine.mostInFlight).toBe(32);
    });

    it('tells the rates, and bounds how long slow servers take', async () => {
        const { clock, found } = calibrateMachine(2, 100, 64);
        const rates = (await found)?.rates ?? [];
        expect(rates.map(({ width }) => width)).toEqual([1, 2, 4]);
        expect(rates[0]?.perSecond).toBeCloseTo(10, 0);
        expect(rates[1]?.perSecond).toBeCloseTo(20, 0);
        expect(clock.now()).toBeLessThan(10_000);
        const slow = calibrateMachine(1, 15_000, 64);
        expect((await slow.found)?.width).toBe(1);
        expect(slow.machine.sent).toBe(3);
    });

    it('takes no level at which a program failed, and ends with its signal', async () => {
        const clock = new FakeClock();
        const machine = new Machine(clock, 16, 100);
        const failing = (from: number) => async () => (await machine.runHello()) && machine.inFlight < from;
        const options = { addresses: ['a'], atMost: 64, clock, signal: never };
        const third = await wait(clock, calibrate({ ...options, runHello: failing(3) }));
        expect(third).toMatchObject({ width: 2 });
        expect(await wait(clock, calibrate({ ...options, runHello: failing(0) }))).toBeNull();
        const controller = new AbortController();
        const stopped = calibrate({
            ...options,
            runHello: () => machine.runHello(),
            signal: controller.signal,
        });
        controller.abort();
        expect(await wait(clock, stopped)).toBeNull();
    });
});

/** A pool of endpoints `http://h:0`, ... on one machine of four cores, with a number of tasks waiting for slots. */
function poolOf(count: number, over: Partial<PoolOptions> = {}, concurrency: number | null = null) {
    const clock = new FakeClock();
    const machine = new Machine(clock, 4, 100);
    const said: string[] = [];
    const pool = new EndpointPool({
        endpoints: Array.from({ length: count }, (_, index) => ({
            address: `http://h:${index}`,
            concurrency,
            rate: null,
        })),
        reserve: [],
        limits: 'adaptive',
        defaultConcurrency: 1,
        endpointWait: null,
        probe: () => Promise.resolve({ outcome: 'ok', wait: null, message: '' }),
        runHello: async () => {
            await machine.runHello();
            return { outcome: 'ok', wait: null, message: '' };
        },
        hooks: { resized: () => void said.push(`takes ${pool.concurrency}`) },
        clock,
        random: () => 0.5,
        ...over,
    });
    return { pool, clock, machine, said };
}

describe('a pool that calibrates', () => {
    it('finds the width of an endpoint before its first task, and shows it', async () => {
        const { pool, clock, machine, said } = poolOf(1);
        pool.calibrateUpTo(null);
        let given = 0;
        for (let task = 0; task < 9; task += 1) void pool.acquire(never).then(() => (given += 1));
        await clock.pass(500);
        expect([given, machine.inFlight]).toEqual([0, 1]);
        await clock.pass(10_000);
        expect(given).toBe(4);
        expect(said).toEqual(['takes 4']);
        const [state] = pool.states();
        expect(state).toMatchObject({ concurrency: 4, inFlight: 4, done: 0 });
        expect(state?.calibration?.map(({ width }) => width)).toEqual([1, 2, 4, 8]);
    });

    it('does so again after a cool-down, when nothing runs there', async () => {
        const { pool, clock, machine, said } = poolOf(1);
        pool.calibrateUpTo(null);
        const first = pool.acquire(never);
        await clock.pass(10_000);
        const leases = [await first, await pool.acquire(never)];
        const before = machine.sent;
        for (let time = 0; time < FAILURES_TO_OPEN; time += 1) leases[0]?.report('broken', 5);
        leases[0]?.release();
        // One task is still running there, so the next one uses the earlier width.
        const third = pool.acquire(never);
        await clock.pass(10_000);
        expect(machine.sent).toBe(before);
        leases.push(await third);
        for (const lease of leases) lease.release();
        const next = pool.acquire(never);
        await clock.pass(500);
        expect(machine.inFlight).toBe(1);
        await clock.pass(10_000);
        (await next).release();
        expect(said).toEqual(['takes 4', 'takes 4']);
    });

    it('leaves alone what has a number, fixed limits, the reserve, and runs of few tasks', async () => {
        const reserve = [{ address: 'http://r', concurrency: null, rate: null }];
        for (const { pool, clock, machine } of [
            poolOf(2, {}, 3),
            poolOf(2, { limits: 'fixed' }),
            poolOf(1, { reserve }, 1),
        ]) {
            const before = pool.concurrency;
            pool.calibrateUpTo(8);
            const lease = pool.acquire(never, { prefer: 'reserve' });
            await clock.pass(10_000);
            (await lease).release();
            expect([machine.sent, pool.concurrency]).toEqual([0, before]);
        }
        const few = poolOf(1);
        await few.pool.acquire(never);
        await few.clock.pass(10_000);
        expect(few.machine.sent).toBe(0);
    });

    it('tries endpoints of one machine together, and ends with the pool', async () => {
        const { pool, clock, machine } = poolOf(2);
        pool.calibrateUpTo(64);
        void pool.acquire(never).catch(() => {});
        await clock.pass(10_000);
        expect(pool.states().map(({ concurrency }) => concurrency)).toEqual([2, 2]);
        expect(machine.mostInFlight).toBe(8);
        const closed = poolOf(1);
        closed.pool.calibrateUpTo(null);
        const waiting = expect(closed.pool.acquire(never)).rejects.toThrow('closed');
        await closed.clock.pass(300);
        closed.pool.close();
        await waiting;
        await closed.clock.pass(5000);
        await settle();
        expect(closed.machine.sent).toBeLessThan(8);
        expect(closed.said).toEqual([]);
    });
});

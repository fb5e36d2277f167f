import { describe, expect, it } from 'vitest';
import { Slots } from '../../src/run/slots.js';
import type { TaskState } from '../../src/run/task-state.js';

/** Only its identity matters to the slots. */
const state = (name: string) => ({ name }) as unknown as TaskState;
const source =
    (...states: TaskState[]) =>
    () =>
        states.shift() ?? null;

interface Rest {
    readonly delay?: number;
    readonly batchSize?: number;
    readonly rate?: number;
    readonly wake?: () => void;
}

const slotsOf = (concurrency: number, prefetch: number, rest: Rest = {}): Slots =>
    new Slots(
        { concurrency, prefetch, delay: 0, batchSize: 0, rate: null, ...rest },
        rest.wake ?? (() => {}),
    );

describe('Slots', () => {
    it('hands out a batch only when all tasks of the last one have ended', () => {
        const slots = slotsOf(4, 0, { batchSize: 2 });
        const next = source(...['a', 'b', 'c', 'd', 'e'].map(state));
        expect(slots.take(0, next)).not.toBeNull();
        expect(slots.take(1, next)).not.toBeNull();
        expect(slots.take(2, next)).toBeNull();
        expect(slots.take(1, next)).toBeNull();
        expect(slots.take(0, next)).not.toBeNull();
        expect(slots.take(1, next)).not.toBeNull();
        expect(slots.take(2, next)).toBeNull();
    });

    it('leaves a slot empty for the delay after its task', async () => {
        let woken = (): void => {};
        const slots = slotsOf(2, 0, { delay: 0.02, wake: () => woken() });
        const next = source(state('b'), state('c'));
        slots.ended(state('a'), 1);
        expect(slots.take(1, next)).toBeNull();
        expect(slots.take(0, next)).not.toBeNull();
        await new Promise<void>((resolve) => {
            woken = resolve;
        });
        expect(slots.take(1, next)).not.toBeNull();
    });

    it('starts no more tasks a second than its rate, and wakes the run when the next may start', async () => {
        let woken = (): void => {};
        const slots = slotsOf(8, 0, { rate: 50, wake: () => woken() });
        const next = source(...['a', 'b', 'c', 'd'].map(state));
        const began = performance.now();
        let started = 0;
        while (started < 4) {
            if (slots.take(started, next) !== null) started += 1;
            else
                await new Promise<void>((resolve) => {
                    woken = resolve;
                });
        }
        // Three intervals of 20 ms; each timer may be early by less than one.
        expect(performance.now() - began).toBeGreaterThan(57);
        slots.clear();
    });

    it('starts no more than its concurrency, and a little ahead when tasks are tiny', () => {
        const slots = slotsOf(2, 8);
        const next = source(state('a'));
        expect(slots.take(2, next)).toBeNull();
        for (let i = 0; i < 200; i += 1) slots.ended(state('x'), 0.0001);
        expect(slots.window).toBe(10);
        expect(slots.take(9, next)).not.toBeNull();
        for (let i = 0; i < 200; i += 1) slots.ended(state('x'), 1);
        expect(slots.window).toBe(2);
    });

    it('takes a retry, once its time has come, before new tasks', async () => {
        let woken = (): void => {};
        const slots = slotsOf(1, 0, { wake: () => woken() });
        const again = state('again');
        const waking = new Promise<void>((resolve) => {
            woken = resolve;
        });
        slots.retryAfter(again, 0.01);
        await waking;
        expect(slots.waiting).toBe(1);
        expect(slots.take(0, source(state('new')))).toBe(again);
        expect(slots.waiting).toBe(0);
    });

    it('confirms with half the slots idle, and starts nothing else meanwhile', () => {
        const slots = slotsOf(4, 0);
        const doubtful = ['a', 'b', 'c', 'd'].map(state);
        for (const one of doubtful) slots.confirmLater(one);
        const next = source(state('new'), state('newer'));
        // As many wait as there are slots, so it is their turn, but three tasks still run.
        expect(slots.take(3, next)).toBeNull();
        expect(slots.take(1, next)).toBe(doubtful[0]);
        expect(slots.take(1, next)).toBe(doubtful[1]);
        expect(slots.take(2, next)).toBeNull();
        slots.ended(doubtful[0] as TaskState, 1);
        expect(slots.take(1, next)).toBe(doubtful[2]);
        slots.ended(doubtful[1] as TaskState, 1);
        slots.ended(doubtful[2] as TaskState, 1);
        // With one left, new tasks come first; it waits for others or for the end.
        expect(slots.take(0, next)).not.toBe(doubtful[3]);
        expect(slots.take(0, next)).not.toBe(doubtful[3]);
        expect(slots.take(0, next)).toBe(doubtful[3]);
    });

    it('forgets what waits when the run is over', () => {
        const slots = slotsOf(1, 0);
        slots.confirmLater(state('a'));
        slots.retryAfter(state('b'), 1000);
        slots.clear();
        expect(slots.waiting).toBe(0);
        expect(slots.take(0, () => null)).toBeNull();
    });
});

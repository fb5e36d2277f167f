import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AccountLimits } from '../../src/endpoint/account-limits.js';
import { MinuteLimit } from '../../src/endpoint/minute-limit.js';
import { FakeClock } from '../rig/fake-clock.js';
import { runs } from '../rig/long.js';

const NEVER = new AbortController().signal;

const MINUTE = 60_000;

interface Sent {
    readonly at: number;
    readonly tokens: number;
}

/** The maximum sent within any minute. */
function busiestMinute(sent: readonly Sent[], of: (one: Sent) => number): number {
    const sums = sent.map(({ at }) =>
        sent.filter((one) => one.at >= at && one.at <= at + MINUTE).reduce((sum, one) => sum + of(one), 0),
    );
    return Math.max(0, ...sums);
}

const limitsOf = (
    requestsPerMinute: number | null,
    tokensPerMinute: number | null,
    rate: number | null = null,
) => new AccountLimits('fixed', { concurrency: 1000, rate, requestsPerMinute, tokensPerMinute });

describe('limits a minute', () => {
    it('hold in every minute from the first, and use it up', () => {
        const limits = limitsOf(30, null);
        const sent = Array.from({ length: 100 }, () => ({ at: limits.take(0, 0).wait, tokens: 0 }));
        expect(busiestMinute(sent, () => 1)).toBe(30);
        expect(sent.filter(({ at }) => at === 0)).toHaveLength(30);
        expect(sent.at(-1)?.at).toBe(3 * 60_500);
    });

    it('hold in every minute, whatever is asked for and settled, and let all through', () => {
        const request = fc.record({
            gap: fc.integer({ min: 0, max: 20_000 }),
            tokens: fc.integer({ min: 0, max: 1200 }),
            /** Share of the reserved tokens. */
            used: fc.double({ min: 0, max: 1, noNaN: true }),
        });
        fc.assert(
            fc.property(
                fc.integer({ min: 1, max: 20 }),
                fc.integer({ min: 100, max: 1000 }),
                fc.option(fc.integer({ min: 1, max: 5 })),
                fc.array(request, { maxLength: 120 }),
                (requests, tokens, rate, asked) => {
                    const limits = limitsOf(requests, tokens, rate);
                    let now = 0;
                    const sent = asked.map((one) => {
                        now += one.gap;
                        const reserved = Math.min(one.tokens, tokens);
                        const place = limits.take(reserved, now);
                        expect(place.wait).toBeLessThan((asked.length + 1) * 60_500);
                        const used = Math.floor(reserved * one.used);
                        place.settle(used);
                        return { at: now + place.wait, tokens: used };
                    });
                    expect(busiestMinute(sent, () => 1)).toBeLessThanOrEqual(requests);
                    expect(busiestMinute(sent, (one) => one.tokens)).toBeLessThanOrEqual(tokens);
                },
            ),
            { numRuns: runs(200) },
        );
    });

    it('let what is larger than a minute through alone, and hold what was used beyond the estimate against later ones', () => {
        const limit = new MinuteLimit(100);
        limit.take(10, 0);
        expect(limit.delay(500, 1000)).toBe(59_500);
        const taken = limit.take(80, 1000);
        expect(limit.delay(10, 1000)).toBe(0);
        limit.settle(taken, 85);
        expect(limit.delay(10, 1000)).toBe(59_500);
        limit.settle(taken, 20);
        expect(limit.delay(70, 1000)).toBe(0);
        // Its minute is over, so it no longer changes anything.
        expect(limit.delay(100, 70_000)).toBe(0);
        limit.settle(taken, 1000);
        expect(limit.delay(100, 70_000)).toBe(0);
    });

    it('use what was reserved and not used in the same minute, in the order in which it was asked for', async () => {
        const clock = new FakeClock();
        const limits = limitsOf(null, 1000);
        const sent: { readonly at: number; readonly tokens: number; readonly number: number }[] = [];
        // A hundred requests that each reserve 200 tokens and have used 20 of them after a second.
        const ask = async (number: number): Promise<void> => {
            const place = await limits.pass(200, clock, NEVER);
            sent.push({ at: clock.now(), tokens: 20, number });
            clock.after(1000, () => place.settle(20));
        };
        for (let number = 0; number < 100; number += 1) void ask(number);
        await clock.pass(59_000);
        // After 41 requests of 20 tokens each, the next, which reserves 200, does not fit.
        expect(sent).toHaveLength(41);
        await clock.pass(4 * MINUTE);
        expect(sent.map(({ number }) => number)).toEqual(Array.from({ length: 100 }, (_, at) => at));
        expect(busiestMinute(sent, (one) => one.tokens)).toBeLessThanOrEqual(1000);
    });

    it('let the next one through where one that waits gives up', async () => {
        const clock = new FakeClock();
        const limits = limitsOf(1, null);
        const done: string[] = [];
        const ask = (name: string, signal: AbortSignal): void =>
            void limits.pass(0, clock, signal).then(
                () => done.push(name),
                () => done.push(`${name} gave up`),
            );
        const stop = new AbortController();
        ask('first', NEVER);
        ask('second', stop.signal);
        ask('third', NEVER);
        await clock.pass(1000);
        stop.abort();
        await clock.pass(60_000);
        expect(done).toEqual(['first', 'second gave up', 'third']);
    });
});

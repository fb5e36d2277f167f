import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AccountLimits } from '../../src/endpoint/account-limits.js';
import { MinuteBook, type MinuteStorage } from '../../src/endpoint/minute-book.js';
import { runs } from '../rig/long.js';

const MINUTE = 60_000;

function storageOf(first: string | null = null): MinuteStorage & { text: string | null; writes: number } {
    return {
        text: first,
        writes: 0,
        read() {
            return this.text;
        },
        write(text) {
            this.text = text;
            this.writes += 1;
        },
    };
}

/** A process that has just started, with a clock of its own. */
function begin(storage: MinuteStorage, wall: () => number, requests: number | null, tokens: number | null) {
    const settings = { requestsPerMinute: requests, tokensPerMinute: tokens };
    const page = new MinuteBook(storage, wall).openPage('account', settings);
    return new AccountLimits('fixed', { concurrency: 1000, rate: null, ...settings }, page, 0);
}

describe('the book of the last minute', () => {
    it('lets processes that follow one another send no more in any minute than one of them may', () => {
        const request = fc.record({
            gap: fc.integer({ min: 0, max: 6000 }),
            tokens: fc.integer({ min: 0, max: 300 }),
            used: fc.double({ min: 0, max: 1.5, noNaN: true }),
            /** The process is killed before this request, and another one starts. */
            isKilled: fc.boolean(),
        });
        fc.assert(
            fc.property(
                fc.integer({ min: 1, max: 20 }),
                fc.integer({ min: 300, max: 1000 }),
                fc.array(request, { minLength: 1, maxLength: 60 }),
                (mostRequests, mostTokens, asked) => {
                    const storage = storageOf();
                    let wall = 1_800_000_000_000;
                    let started = wall;
                    let limits = begin(storage, () => wall, mostRequests, mostTokens);
                    const sent: { readonly at: number; readonly tokens: number }[] = [];
                    for (const { gap, tokens, used, isKilled } of asked) {
                        wall += gap;
                        if (isKilled) {
                            started = wall;
                            limits = begin(storage, () => wall, mostRequests, mostTokens);
                        }
                        const place = limits.take(tokens, wall - started);
                        wall += place.wait;
                        place.begin();
                        const really = Math.min(mostTokens, Math.floor(tokens * used));
                        place.settle(really);
                        // Tokens beyond the estimate were already sent, so no limit can prevent them.
                        sent.push({ at: wall, tokens: Math.min(tokens, really) });
                    }
                    for (const { at } of sent) {
                        const minute = sent.filter((one) => one.at >= at && one.at <= at + MINUTE);
                        expect(minute.length).toBeLessThanOrEqual(mostRequests);
                        const sum = minute.reduce((total, one) => total + one.tokens, 0);
                        expect(sum).toBeLessThanOrEqual(mostTokens);
                    }
                },
            ),
            { numRuns: runs(300) },
        );
    });

    it('writes a few times a minute, and holds back at most a tenth that nobody used', () => {
        const storage = storageOf();
        let wall = 1_800_000_000_000;
        const first = begin(storage, () => wall, 6000, null);
        for (let at = 0; at < 3001; at += 1) {
            const place = first.take(0, 0);
            expect(place.wait).toBe(0);
            place.begin();
            wall += 1;
        }
        expect(storage.writes).toBeLessThanOrEqual(8);
        const second = begin(storage, () => wall, 6000, null);
        const free = Array.from({ length: 6000 }, () => second.take(0, 0).wait).filter((wait) => wait === 0);
        expect(free.length).toBeGreaterThanOrEqual(6000 - 3001 - 600);
        expect(free.length).toBeLessThanOrEqual(6000 - 3001);
        // Requests sent more than a minute ago cause no waiting.
        wall += 2 * MINUTE;
        expect(begin(storage, () => wall, 6000, null).mustWait(0, 0)).toBe(false);
        expect(new MinuteBook(storage, () => wall).openPage('account', SIX).before).toEqual([]);
    });

    const SIX = { requestsPerMinute: 6, tokensPerMinute: null };

    it.each([
        '',
        '{',
        '[]',
        '{"accounts": 1}',
        '{"accounts": {"account": 1}}',
        '{"accounts": {"account": [null, {"until": "soon", "requests": 1, "tokens": 1}, {"until": 1}]}}',
    ])('takes %j for an empty one', (text) => {
        expect(new MinuteBook(storageOf(text)).openPage('account', SIX).before).toEqual([]);
    });

    it('counts times ahead of the clock as now, and holds no credentials', () => {
        const now = 1_800_000_000_000;
        const storage = storageOf();
        const name = '["http://user:pass@127.0.0.1/v1","m"]';
        new MinuteBook(storage, () => now + 1e9).openPage(name, SIX).note(1, 0);
        expect(storage.text).not.toMatch(/user|pass/);
        const { before } = new MinuteBook(storage, () => now).openPage(name, SIX);
        expect(before).toEqual([{ age: 0, requests: 1, tokens: 0 }]);
        const other = new MinuteBook(storage, () => now).openPage('["other","m"]', SIX);
        expect(other.before).toEqual([]);
    });
});

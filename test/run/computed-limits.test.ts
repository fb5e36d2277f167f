import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/model/entry.js';
import { computeLimits, type PreparedSample } from '../../src/run/prepare.js';

/** A sample with a computed limit; only with the fields that decide it. */
function sampleOf(multiplier: number, resolution: number): PreparedSample {
    const rule = { group: 'solution', multiplier, atLeast: 1, resolution };
    return { rule, ruleFingerprint: 'f' } as PreparedSample;
}

function entryOf(accepted: boolean, ...times: readonly number[]): Entry {
    const tests = times.map((cpu_time) => ({ passed: accepted, cpu_time }));
    return { result: { accepted, tests } } as unknown as Entry;
}

const limitOf = (multiplier: number, resolution: number, ...entries: readonly Entry[]): number | undefined =>
    computeLimits(sampleOf(multiplier, resolution), entries, null)?.time;

describe('a computed limit', () => {
    it('is a multiple of the slowest accepted run, rounded up', () => {
        expect(limitOf(2, 1, entryOf(true, 0.1, 0.803), entryOf(true, 0.5))).toBe(2);
        expect(limitOf(5, 1, entryOf(true, 3.278))).toBe(17);
        expect(limitOf(5, 0.1, entryOf(true, 0.41))).toBe(2.1);
    });

    it('is exact where it comes out even, and never below one second', () => {
        expect(limitOf(5, 1, entryOf(true, 0.6))).toBe(3);
        expect(limitOf(3, 0.1, entryOf(true, 0.4))).toBe(1.2);
        expect(limitOf(5, 1, entryOf(true, 0.01))).toBe(1);
        expect(limitOf(5, 0.5, entryOf(true, 0.01))).toBe(1);
    });

    it('counts what is accepted in part, for the tests that it passed', () => {
        const tests = [
            { passed: true, cpu_time: 0.9 },
            { passed: false, cpu_time: 20 },
        ];
        const result = { accepted: false, verdict: 'PartiallyAccepted', tests };
        const inPart = { result } as unknown as Entry;
        expect(limitOf(5, 1, inPart)).toBe(5);
        expect(limitOf(5, 1, entryOf(true, 0.1), inPart)).toBe(5);
    });

    it('is not known where nothing was accepted; rejected runs do not count', () => {
        expect(limitOf(5, 1, entryOf(false, 9))).toBeUndefined();
        expect(limitOf(5, 1, entryOf(false, 9), entryOf(true, 0.3))).toBe(2);
    });
});

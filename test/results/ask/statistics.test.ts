import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
    computeClusteredInterval,
    computeExactMcnemar,
    computeMeanInterval,
    passAtK,
    computeWilsonInterval,
} from '../../../src/results/ask/statistics.js';

describe("Wilson's interval", () => {
    it.each([
        // Newcombe (1998), table I, method 3.
        [81, 263, 0.2553, 0.3662],
        [15, 148, 0.0624, 0.1605],
        [0, 20, 0, 0.1611],
        [1, 29, 0.0061, 0.1718],
        [29, 29, 0.883, 1],
    ])('of %i hits in %i trials is that of the literature', (hits, trials, low, high) => {
        const interval = computeWilsonInterval(hits, trials);
        expect(interval?.low).toBeCloseTo(low, 4);
        expect(interval?.high).toBeCloseTo(high, 4);
    });

    it('holds the share, stays within 0 and 1, and is unknown without trials', () => {
        fc.assert(
            fc.property(fc.nat(1000), fc.nat(1000), (hits, more) => {
                const trials = hits + more;
                const interval = computeWilsonInterval(hits, trials);
                if (trials === 0) {
                    expect(interval).toBe(null);
                    return;
                }
                const share = hits / trials;
                expect(interval?.low).toBeLessThanOrEqual(share);
                expect(interval?.high).toBeGreaterThanOrEqual(share);
                expect(
                    [interval?.low, interval?.high].every((one) => Number(one) >= 0 && Number(one) <= 1),
                ).toBe(true);
            }),
        );
    });
});

describe('an interval clustered by sample', () => {
    const sums = (samples: readonly (readonly [hits: number, trials: number])[]) => {
        const sum = (of: (hits: number, trials: number) => number): number =>
            samples.reduce((all, [hits, trials]) => all + of(hits, trials), 0);
        return {
            hits: sum((hits) => hits),
            trials: sum((_, trials) => trials),
            samples: samples.length,
            hits2: sum((hits) => hits * hits),
            cross: sum((hits, trials) => hits * trials),
            trials2: sum((_, trials) => trials * trials),
        };
    };

    it('is the ordinary one where each sample has one task, or there is one sample', () => {
        expect(
            computeClusteredInterval(
                sums([
                    [1, 1],
                    [0, 1],
                    [1, 1],
                ]),
            ),
        ).toEqual({
            interval: computeWilsonInterval(2, 3),
            unit: 'tasks',
        });
        expect(computeClusteredInterval(sums([[30, 50]]))).toEqual({
            interval: computeWilsonInterval(30, 50),
            unit: 'tasks',
        });
    });

    it('counts samples, not tasks, where all tasks of a sample end alike', () => {
        const alike = Array.from({ length: 10 }, (_, at) => [at < 5 ? 20 : 0, 20] as const);
        const { interval, unit } = computeClusteredInterval(sums(alike));
        expect(unit).toBe('samples');
        const asSamples = computeWilsonInterval(4.5, 9);
        expect(interval?.low).toBeCloseTo(asSamples?.low ?? 0, 10);
        expect(interval?.high).toBeCloseTo(asSamples?.high ?? 0, 10);
        expect(
            computeClusteredInterval(
                sums([
                    [20, 20],
                    [20, 20],
                ]),
            ).interval,
        ).toEqual(computeWilsonInterval(2, 2));
    });

    it('is never narrower than the ordinary one', () => {
        const sample = fc.nat(20).chain((trials) => fc.tuple(fc.nat(trials), fc.constant(trials)));
        fc.assert(
            fc.property(fc.array(sample, { minLength: 1, maxLength: 20 }), (samples) => {
                const all = sums(samples.filter(([, trials]) => trials > 0));
                const plain = computeWilsonInterval(all.hits, all.trials);
                const { interval } = computeClusteredInterval(all);
                if (plain === null) {
                    expect(interval).toBe(null);
                    return;
                }
                expect(interval?.low).toBeLessThanOrEqual(plain.low + 1e-9);
                expect(interval?.high).toBeGreaterThanOrEqual(plain.high - 1e-9);
            }),
        );
    });
});

describe('the interval of a mean', () => {
    it("is Wilson's where the figures are 0 and 1 alone", () => {
        // 30 of 40: with the variance divided by n - 1, the interval is that of one trial fewer.
        const [samples, mean] = [40, 0.75];
        const variance = (samples * mean * (1 - mean)) / (samples - 1);
        const interval = computeMeanInterval({ mean, variance, samples, answers: 40 });
        const wilson = computeWilsonInterval(mean * 39, 39);
        expect(interval?.low).toBeCloseTo(wilson?.low ?? Number.NaN, 12);
        expect(interval?.high).toBeCloseTo(wilson?.high ?? Number.NaN, 12);
    });

    it('is never narrower than that of all answers, nor without a width', () => {
        const same = computeMeanInterval({ mean: 0.5, variance: 0, samples: 10, answers: 20 });
        expect(same).toEqual(computeWilsonInterval(10, 20));
        const none = computeMeanInterval({ mean: 0, variance: 0, samples: 10, answers: 50 });
        expect(none).toEqual(computeWilsonInterval(0, 10));
        expect(computeMeanInterval({ mean: 1, variance: Number.NaN, samples: 1, answers: 9 })).toBeNull();
    });
});

describe('pass@k', () => {
    /** Counts every choice of k answers. */
    const counted = (n: number, c: number, k: number): number => {
        let [all, passing] = [0, 0];
        for (let set = 0; set < 1 << n; set += 1) {
            const members = Array.from({ length: n }, (_, at) => (set >> at) & 1);
            if (members.reduce((sum, one) => sum + one, 0) !== k) continue;
            all += 1;
            if (members.slice(0, c).includes(1)) passing += 1;
        }
        return passing / all;
    };

    it('is the share of choices of k answers that hold one that passes', () => {
        for (let n = 1; n <= 7; n += 1)
            for (let c = 0; c <= n; c += 1)
                for (let k = 1; k <= n; k += 1) expect(passAtK(n, c, k)).toBeCloseTo(counted(n, c, k), 12);
    });

    it('is refused where there are fewer than k answers', () => {
        expect(passAtK(4, 4, 5)).toBe(null);
        expect(passAtK(0, 0, 1)).toBe(null);
    });
});

describe("McNemar's exact test", () => {
    it.each([
        [0, 0, 1],
        [5, 5, 1],
        [10, 2, 158 / 4096],
        [2, 10, 158 / 4096],
        [6, 0, 2 / 64],
    ])('of %i against %i is %d', (first, second, p) =>
        expect(computeExactMcnemar(first, second)).toBeCloseTo(p, 12),
    );

    it('stays a number for thousands of pairs', () => {
        expect(computeExactMcnemar(3000, 3000)).toBeCloseTo(1, 6);
        expect(computeExactMcnemar(5000, 4000)).toBeGreaterThan(0);
        expect(computeExactMcnemar(5000, 4000)).toBeLessThan(1e-20);
    });
});

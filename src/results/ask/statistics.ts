/** Half the width of a 95 % interval of the standard normal distribution. */
const Z = 1.959963984540054;

export interface Interval {
    readonly low: number;
    readonly high: number;
}

/**
 * Wilson's score interval for a share, 95 % (Wilson 1927): unlike the usual one it is right for few trials and for shares near
 * 0 and 1.
 * @param hits from 0 to `trials`; neither needs to be whole
 * @returns null without trials
 */
export function computeWilsonInterval(hits: number, trials: number): Interval | null {
    if (trials <= 0) return null;
    const share = hits / trials;
    const scale = 1 + (Z * Z) / trials;
    const centre = (share + (Z * Z) / (2 * trials)) / scale;
    const half = (Z / scale) * Math.sqrt((share * (1 - share)) / trials + (Z * Z) / (4 * trials * trials));
    return {
        low: hits <= 0 ? 0 : Math.max(0, centre - half),
        high: hits >= trials ? 1 : Math.min(1, centre + half),
    };
}

/** Hits and trials summed over the samples of a group, and what a clustered interval needs besides. */
export interface ClusterSums {
    readonly hits: number;
    readonly trials: number;
    /** Samples that have a trial. */
    readonly samples: number;
    /** Sums over samples: hits squared, hits x trials, trials squared. */
    readonly hits2: number;
    readonly cross: number;
    readonly trials2: number;
}

/** Whether tasks were taken as independent of each other, or clustered by sample. */
export type IntervalUnit = 'tasks' | 'samples';

/**
 * Wilson's interval where tasks of one sample stand or fall together: the number of trials is divided by the design effect
 * (variance of the ratio estimator over samples against that of independent trials, never below 1), as Dean and Pagano (2015)
 * do for surveys. Where all or none hit there is no variance to estimate, and each sample counts as one trial. One sample
 * alone, or one task a sample, is the ordinary interval.
 */
export function computeClusteredInterval(sums: ClusterSums): {
    readonly interval: Interval | null;
    readonly unit: IntervalUnit;
} {
    const { hits, trials, samples, hits2, cross, trials2 } = sums;
    if (samples < 2 || trials <= samples)
        return { interval: computeWilsonInterval(hits, trials), unit: 'tasks' };
    const share = hits / trials;
    const independent = (share * (1 - share)) / trials;
    const squares = Math.max(0, hits2 - 2 * share * cross + share * share * trials2);
    const variance = ((samples / (samples - 1)) * squares) / (trials * trials);
    const effect = independent === 0 ? trials / samples : Math.max(1, variance / independent);
    const effective = trials / effect;
    return { interval: computeWilsonInterval(share * effective, effective), unit: 'samples' };
}

/**
 * An interval, 95 %, of the mean of figures from 0 to 1, one for each sample: Wilson's, for as many trials as would vary as much as these
 * figures do. If all of them are 0, or all are 1, their variance says nothing, and each sample counts as one trial.
 * @param variance of the figures, by `samples - 1`
 * @param answers that the figures are made of: there are never more trials
 * @returns null with fewer than two samples
 */
export function computeMeanInterval({
    mean,
    variance,
    samples,
    answers,
}: {
    readonly mean: number;
    readonly variance: number;
    readonly samples: number;
    readonly answers: number;
}): Interval | null {
    if (samples < 2) return null;
    const ofOneTrial = mean * (1 - mean);
    const trials = ofOneTrial === 0 ? samples : Math.min(answers, (samples * ofOneTrial) / variance);
    return computeWilsonInterval(mean * trials, trials);
}

/**
 * pass@k: the chance that one of `k` answers passes, by the unbiased estimator 1 - C(n - c, k) / C(n, k) of Chen et al. (2021).
 * @param n answers
 * @param c those that pass
 * @returns null where `n < k`: nothing unbiased can be said
 */
export function passAtK(n: number, c: number, k: number): number | null {
    if (n < k || k < 1) return null;
    if (n - c < k) return 1;
    // The same product twice, of c or of k factors: the shorter one rounds less, and pass@1 is c / n.
    const [factors, taken] = c < k ? [c, k] : [k, c];
    let none = 1;
    for (let at = 0; at < factors; at += 1) none *= 1 - taken / (n - at);
    return 1 - none;
}

/**
 * The exact two-sided McNemar test: the chance of a split at least as uneven as this one, were both sides equally likely.
 * @param first pairs where only the first was right
 * @param second pairs where only the second was right
 */
export function computeExactMcnemar(first: number, second: number): number {
    const total = first + second;
    // Terms of the binomial distribution by their logarithms: 2^-n alone is 0 in a double from n = 1075 on.
    let term = -total * Math.LN2;
    let sum = Math.exp(term);
    for (let at = 1; at <= Math.min(first, second); at += 1) {
        term += Math.log((total - at + 1) / at);
        sum += Math.exp(term);
    }
    return Math.min(1, 2 * sum);
}

/** Half-width of the central 95 % of the standard normal distribution, in standard deviations. */
const Z = 1.959963984540054;

export interface Interval {
    readonly low: number;
    readonly high: number;
}

/**
 * Wilson's 95 % score interval for a proportion (Wilson 1927). Unlike the usual interval it is also right for few trials and for
 * proportions near 0 and 1.
 * @param hits from 0 to `trials`; neither has to be an integer
 * @returns null if there are no trials
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

/** Hits and trials summed over the samples of a group, plus the sums that a clustered interval needs. */
export interface ClusterSums {
    readonly hits: number;
    readonly trials: number;
    /** Number of samples with at least one trial. */
    readonly samples: number;
    /** Sums over samples: hits squared, hits x trials, trials squared. */
    readonly hits2: number;
    readonly cross: number;
    readonly trials2: number;
}

/** Whether tasks were treated as independent of each other, or clustered by sample. */
export type IntervalUnit = 'tasks' | 'samples';

/**
 * Wilson's interval for tasks that are correlated within a sample: the number of trials is divided by the design effect (variance
 * of the ratio estimator over samples relative to that of independent trials, at least 1), as Dean and Pagano (2015) do for
 * surveys. If all or none hit, there is no variance to estimate, and each sample counts as one trial. A single sample, or one
 * task per sample, gives the ordinary interval.
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
 * 95 % interval for the mean of values from 0 to 1, one for each sample: Wilson's, for the number of trials that would vary as
 * much as these values do. If all values are 0, or all are 1, their variance says nothing, and each sample counts as one trial.
 * @param variance of the values, with divisor `samples - 1`
 * @param answers number of answers behind the values, an upper bound for the number of trials
 * @returns null for fewer than two samples
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
 * pass@k: the probability that at least one of `k` answers passes, by the unbiased estimator 1 - C(n - c, k) / C(n, k) of Chen et
 * al. (2021).
 * @param n number of answers
 * @param c number of answers that pass
 * @returns null if `n < k`: there is no unbiased estimate
 */
export function passAtK(n: number, c: number, k: number): number | null {
    if (n < k || k < 1) return null;
    if (n - c < k) return 1;
    // The same product can be written with c or with k factors. The shorter one rounds less, and makes pass@1 exactly c / n.
    const [factors, taken] = c < k ? [c, k] : [k, c];
    let none = 1;
    for (let at = 0; at < factors; at += 1) none *= 1 - taken / (n - at);
    return 1 - none;
}

/**
 * Exact two-sided McNemar test: the probability of a split at least as uneven as this one if both sides were equally likely.
 * @param first pairs where only the first was right
 * @param second pairs where only the second was right
 */
export function computeExactMcnemar(first: number, second: number): number {
    const total = first + second;
    // Compute the terms of the binomial distribution from logarithms: 2^-n alone underflows to 0 in a double from n = 1075 on.
    let term = -total * Math.LN2;
    let sum = Math.exp(term);
    for (let at = 1; at <= Math.min(first, second); at += 1) {
        term += Math.log((total - at + 1) / at);
        sum += Math.exp(term);
    }
    return Math.min(1, 2 * sum);
}

import type { LiveState } from '../../model/live-state.js';

/** Milliseconds over which the rate is measured, as on the command line. */
const WINDOW_MS = 300_000;
/** Half-width of the central 95 % of the standard normal distribution, in standard deviations. */
const Z = 1.96;

/**
 * Range of the remaining time of a run, in seconds. The rate is estimated from the n tasks that ended recently. A count of n has
 * an uncertainty of about its square root (Poisson), so the rate lies within 1 ± 1.96 / sqrt(n) of the observed one.
 * @returns null while too few tasks have ended
 */
export function estimateEtaRange({
    history,
    rate,
    tasks,
    at,
}: Pick<LiveState, 'history' | 'rate' | 'tasks' | 'at'>): {
    readonly low: number;
    readonly high: number;
} | null {
    if (tasks.remaining === 0) return { low: 0, high: 0 };
    const oldest = history.find(([time]) => time >= at - WINDOW_MS);
    const ended = tasks.committed + tasks.failed - (oldest?.[1] ?? 0);
    if (!(rate > 0) || ended < 4) return null;
    const spread = Math.min(0.9, Z / Math.sqrt(ended));
    const seconds = tasks.remaining / rate;
    return { low: seconds / (1 + spread), high: seconds / (1 - spread) };
}

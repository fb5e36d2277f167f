import type { LiveState } from '../../model/live-state.js';

/** Milliseconds over which the rate is taken, as the command line does. */
const WINDOW_MS = 300_000;
/** Half the width of a 95 % interval of the standard normal distribution. */
const Z = 1.96;

/**
 * Seconds that a run still needs, as a range: the rate is estimated from the n tasks that ended lately, and a count of n is
 * uncertain by about its square root (Poisson), so the rate lies within 1 ± 1.96 / sqrt(n) of what was seen.
 * @returns null while too little ended to tell
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

/** Starts within this many milliseconds may happen together: timers are no finer than that. */
const BURST = 10;

/** Spaces requests, or starts of tasks, evenly: at most `rate` a second over any longer time. */
export class RateLimit {
    private readonly interval: number;
    /** When the next one would start if all were spaced evenly. */
    private due = Number.NEGATIVE_INFINITY;

    /** @param rate starts a second; null for no limit */
    constructor(rate: number | null) {
        this.interval = rate === null ? 0 : 1000 / rate;
    }

    /** Milliseconds until the next slot, without taking it. */
    wait(now: number): number {
        return Math.max(0, this.due - now);
    }

    /** Takes the next slot. @returns milliseconds to wait before starting */
    take(now: number): number {
        if (this.interval === 0) return 0;
        const at = Math.max(this.due, now - Math.max(0, BURST - this.interval));
        this.due = at + this.interval;
        return Math.max(0, at - now);
    }
}

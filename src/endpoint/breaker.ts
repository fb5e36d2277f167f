import { unreachable } from '../util/unreachable.js';
import type { OutcomeClass } from './outcome-class.js';

/** Consecutive failures after which an endpoint is taken out of use. */
export const FAILURES_TO_OPEN = 3;
/** First and longest cool-down, in milliseconds. */
const FIRST_COOL_DOWN = 1000;
const MAX_COOL_DOWN_MS = 60_000;
/** First and longest wait, in milliseconds, after a rate error that does not say how long to wait. */
const FIRST_RATE_WAIT = 500;
const MAX_RATE_WAIT_MS = 30_000;
/** Consecutive rejections after which an endpoint that has never accepted a request counts as refusing all. */
const REJECTIONS_TO_REFUSE = 5;

/*
 *   unknown --probe ok--> closed --3 failures in a row--> open --time is up--> probing --ok--> closed
 *      \--probe failed--> open <---------------probe failed (longer)------------/
 *   closed --rate error, or the server names a time--> waiting --time is up--> closed
 *   any --401, 403, 404, unknown model--> refused (for good)
 */
export type BreakerState =
    | { readonly name: 'unknown' }
    | { readonly name: 'closed' }
    /** Receives requests again at `until`, without a probe. */
    | { readonly name: 'waiting'; readonly until: number }
    /** Is probed at `until`. */
    | { readonly name: 'open'; readonly until: number }
    | { readonly name: 'probing' }
    /** Permanent. `isOfModel`: only requests for this model are refused. */
    | { readonly name: 'refused'; readonly why: string; readonly isOfModel: boolean };

/** The circuit breaker of one endpoint, which decides whether it may be used. Times are in milliseconds of the pool's clock. */
export class Breaker {
    state: BreakerState = { name: 'unknown' };
    coolDowns = 0;
    private failuresInRow = 0;
    /** Tasks among those failures that may themselves be the cause. */
    private readonly strikes = new Set<string>();
    private ratesInRow = 0;
    private rejectionsInRow = 0;
    private opensInRow = 0;
    private everWorked = false;

    /** @param random returns 0 to 1, for jitter */
    constructor(private readonly random: () => number) {}

    /** Whether requests may be sent now. Changes `waiting` to `closed` when its time is up. */
    usable(now: number): boolean {
        if (this.state.name === 'waiting' && this.state.until <= now) this.state = { name: 'closed' };
        return this.state.name === 'closed';
    }

    /** Whether it should be probed now. */
    probeDue(now: number): boolean {
        return this.state.name === 'unknown' || (this.state.name === 'open' && this.state.until <= now);
    }

    /** When `usable` or `probeDue` will change merely because time passes; null if they will not. */
    changesAt(): number | null {
        return this.state.name === 'open' || this.state.name === 'waiting' ? this.state.until : null;
    }

    probing(): void {
        this.state = { name: 'probing' };
    }

    /**
     * Records the outcome of a request.
     * @param wait milliseconds that the server asked to wait, if any
     * @param task the task, if it may itself be the cause of a failure because the server answered: repeated failures of one task
     * count once
     */
    note(
        outcome: OutcomeClass,
        now: number,
        wait: number | null,
        why: string,
        task: string | null = null,
    ): void {
        switch (outcome) {
            case 'ok':
                this.worked();
                // Its limit is used up, so the next request would be rejected.
                if (wait !== null && wait > 0) this.waitFor(wait, now);
                return;
            case 'rate':
                this.ratesInRow += 1;
                this.waitFor(wait ?? this.backOff(FIRST_RATE_WAIT, MAX_RATE_WAIT_MS, this.ratesInRow), now);
                return;
            case 'overload':
            case 'broken':
                this.failed(now, wait, task);
                return;
            case 'refused':
            case 'unknown-model':
                this.state = { name: 'refused', why, isOfModel: outcome === 'unknown-model' };
                return;
            case 'bad-request':
                this.rejectionsInRow += 1;
                if (!this.everWorked && this.rejectionsInRow >= REJECTIONS_TO_REFUSE) {
                    this.state = { name: 'refused', why, isOfModel: false };
                }
                return;
            case 'abandoned':
                return;
            default:
                unreachable(outcome, 'outcome class');
        }
    }

    /** Records the outcome of a probe. */
    probed(outcome: OutcomeClass, now: number, wait: number | null, why: string): void {
        if (this.state.name !== 'probing') return;
        switch (outcome) {
            case 'ok':
            case 'bad-request':
                // It responds; the next requests will show whether its answers are any good.
                this.state = { name: 'closed' };
                this.forgetFailures();
                return;
            case 'refused':
            case 'unknown-model':
                this.state = { name: 'refused', why, isOfModel: outcome === 'unknown-model' };
                return;
            case 'rate':
            case 'overload':
            case 'broken':
                this.open(now, wait);
                return;
            case 'abandoned':
                this.state = { name: 'unknown' };
                return;
            default:
                unreachable(outcome, 'outcome class');
        }
    }

    private worked(): void {
        this.everWorked = true;
        this.forgetFailures();
        this.ratesInRow = 0;
        this.rejectionsInRow = 0;
        this.opensInRow = 0;
        // A successful answer to a request sent before the circuit opened is as good as a successful probe.
        if (this.state.name === 'open') this.state = { name: 'closed' };
    }

    private forgetFailures(): void {
        this.failuresInRow = 0;
        this.strikes.clear();
    }

    private failed(now: number, wait: number | null, task: string | null): void {
        if (task === null || !this.strikes.has(task)) this.failuresInRow += 1;
        // Bounded, since the circuit is open once there are this many.
        if (task !== null && this.strikes.size < FAILURES_TO_OPEN) this.strikes.add(task);
        if (this.state.name !== 'closed' && this.state.name !== 'waiting') return;
        if (this.failuresInRow >= FAILURES_TO_OPEN) this.open(now, wait);
        else if (wait !== null) this.waitFor(wait, now);
    }

    private open(now: number, wait: number | null): void {
        this.opensInRow += 1;
        this.coolDowns += 1;
        const coolDown = this.backOff(FIRST_COOL_DOWN, MAX_COOL_DOWN_MS, this.opensInRow);
        this.state = { name: 'open', until: now + Math.max(coolDown, wait ?? 0) };
    }

    private waitFor(ms: number, now: number): void {
        if (this.state.name !== 'closed' && this.state.name !== 'waiting') return;
        const until = this.state.name === 'waiting' ? Math.max(this.state.until, now + ms) : now + ms;
        this.state = { name: 'waiting', until };
    }

    /** Doubles with each failure. Half of the wait is random, so that endpoints that failed together do not return together. */
    private backOff(first: number, longest: number, times: number): number {
        const full = Math.min(longest, first * 2 ** Math.min(times - 1, 30));
        return full / 2 + (full / 2) * this.random();
    }
}

import { unreachable } from '../util/unreachable.js';
import type { OutcomeClass } from './outcome-class.js';

/** Failures in a row that take an endpoint out. */
export const FAILURES_TO_OPEN = 3;
/** First and longest cool-down, milliseconds. */
const FIRST_COOL_DOWN = 1000;
const LONGEST_COOL_DOWN = 60_000;
/** First and longest wait after a rate error that names no time, milliseconds. */
const FIRST_RATE_WAIT = 500;
const LONGEST_RATE_WAIT = 30_000;
/** Rejected requests in a row, from an endpoint that never did any, that mean: it will take none. */
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
    /** Gets requests again at `until`, without a probe. */
    | { readonly name: 'waiting'; readonly until: number }
    /** Is probed at `until`. */
    | { readonly name: 'open'; readonly until: number }
    | { readonly name: 'probing' }
    /** For good; `isOfModel`: only what is asked of this model. */
    | { readonly name: 'refused'; readonly why: string; readonly isOfModel: boolean };

/** Whether an endpoint may be used: the circuit breaker of one endpoint. Times in milliseconds of the pool's clock. */
export class Breaker {
    state: BreakerState = { name: 'unknown' };
    coolDowns = 0;
    private failuresInRow = 0;
    /** Tasks among those failures that may have failed by themselves. */
    private readonly strikes = new Set<string>();
    private ratesInRow = 0;
    private rejectionsInRow = 0;
    private opensInRow = 0;
    private everWorked = false;

    /** @param random 0 to 1, for jitter */
    constructor(private readonly random: () => number) {}

    /** Whether requests may go there now. Turns `waiting` into `closed` when its time is up. */
    usable(now: number): boolean {
        if (this.state.name === 'waiting' && this.state.until <= now) this.state = { name: 'closed' };
        return this.state.name === 'closed';
    }

    /** Whether it should be probed now. */
    probeDue(now: number): boolean {
        return this.state.name === 'unknown' || (this.state.name === 'open' && this.state.until <= now);
    }

    /** When `usable` or `probeDue` may change by time alone; null if they do not. */
    changesAt(): number | null {
        return this.state.name === 'open' || this.state.name === 'waiting' ? this.state.until : null;
    }

    probing(): void {
        this.state = { name: 'probing' };
    }

    /**
     * What a request came to.
     * @param wait milliseconds the server asked for, if it did
     * @param task whose own doing a failure may be, because the server answered: however often it fails, that counts once
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
                // Its limit is used up: the next request would be turned away.
                if (wait !== null && wait > 0) this.waitFor(wait, now);
                return;
            case 'rate':
                this.ratesInRow += 1;
                this.waitFor(wait ?? this.backOff(FIRST_RATE_WAIT, LONGEST_RATE_WAIT, this.ratesInRow), now);
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

    /** What a probe came to. */
    probed(outcome: OutcomeClass, now: number, wait: number | null, why: string): void {
        if (this.state.name !== 'probing') return;
        switch (outcome) {
            case 'ok':
            case 'bad-request':
                // It answers; whether the answers are any good, the next requests will show.
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
        // An answer to a request sent before the circuit opened proves as much as a probe would.
        if (this.state.name === 'open') this.state = { name: 'closed' };
    }

    private forgetFailures(): void {
        this.failuresInRow = 0;
        this.strikes.clear();
    }

    private failed(now: number, wait: number | null, task: string | null): void {
        if (task === null || !this.strikes.has(task)) this.failuresInRow += 1;
        // Bounded: with that many the circuit is open.
        if (task !== null && this.strikes.size < FAILURES_TO_OPEN) this.strikes.add(task);
        if (this.state.name !== 'closed' && this.state.name !== 'waiting') return;
        if (this.failuresInRow >= FAILURES_TO_OPEN) this.open(now, wait);
        else if (wait !== null) this.waitFor(wait, now);
    }

    private open(now: number, wait: number | null): void {
        this.opensInRow += 1;
        this.coolDowns += 1;
        const coolDown = this.backOff(FIRST_COOL_DOWN, LONGEST_COOL_DOWN, this.opensInRow);
        this.state = { name: 'open', until: now + Math.max(coolDown, wait ?? 0) };
    }

    private waitFor(ms: number, now: number): void {
        if (this.state.name !== 'closed' && this.state.name !== 'waiting') return;
        const until = this.state.name === 'waiting' ? Math.max(this.state.until, now + ms) : now + ms;
        this.state = { name: 'waiting', until };
    }

    /** Doubles each time; half of it is left to chance, so that endpoints that failed together do not return together. */
    private backOff(first: number, longest: number, times: number): number {
        const full = Math.min(longest, first * 2 ** Math.min(times - 1, 30));
        return full / 2 + (full / 2) * this.random();
    }
}

import { RateLimit } from '../util/rate-limit.js';
import type { TaskState } from './task-state.js';

/** Tasks shorter than this (seconds, moving average) are handed out ahead, so that a worker never waits for the next. */
const FAST_TASK_S = 0.005;

/** Doubtful verdicts are confirmed together, once this many seconds have passed, or as many as slots wait, or nothing else is left. */
const CONFIRM_WAIT_S = 60;

/** How fast tasks are handed out; see `RunOptions`. */
export interface Pace {
    /** Seconds. */
    readonly delay: number;
    readonly batchSize: number;
    /** Attempts started a second, at most; null: no limit. */
    readonly rate: number | null;
}

/**
 * Decides what starts next: retries whose time has come, new tasks, and, with half the workers idle, tasks whose verdict
 * is to be confirmed.
 *
 *     normal ──confirmations due, and no more than half the slots busy──> confirming (half the slots, nothing else starts)
 *        ^───────────────────────none waiting, none running─────────────────┘
 */
export class Slots {
    readonly #prefetch: number;
    readonly #retries: TaskState[] = [];
    readonly #confirmations: TaskState[] = [];
    readonly #timers = new Set<NodeJS.Timeout>();
    readonly #pauses = new Set<NodeJS.Timeout>();
    /** Tasks that are running to be confirmed. */
    readonly #confirming = new Set<TaskState>();
    #confirmSince = 0;
    #mean = 1;

    readonly #pace: Pace;
    readonly #rate: RateLimit;
    /** Runs until the rate lets the next task start. */
    #rateTimer: NodeJS.Timeout | null = null;
    readonly #wake: () => void;
    concurrency: number;
    /** Slots that pause after their task. */
    #pausing = 0;
    /** Tasks that may still start before all that run have ended. */
    #leftOfBatch: number;

    /** @param wake called when something may start that could not before */
    constructor(pace: Pace & { readonly concurrency: number; readonly prefetch: number }, wake: () => void) {
        this.concurrency = pace.concurrency;
        this.#prefetch = pace.prefetch;
        this.#pace = pace;
        this.#wake = wake;
        this.#rate = new RateLimit(pace.rate);
        this.#leftOfBatch = pace.batchSize;
    }

    /** Tasks that may be with the backend at once. */
    get window(): number {
        return this.concurrency + (this.#mean < FAST_TASK_S ? this.#prefetch : 0);
    }

    /** Tasks that wait for another try. */
    get waiting(): number {
        return this.#retries.length + this.#confirmations.length + this.#timers.size;
    }

    /** The next task to start while `inFlight` run; null: none may, or none is there. */
    take(inFlight: number, takeNew: () => TaskState | null): TaskState | null {
        const wait = this.#rate.wait(performance.now());
        if (wait > 0) {
            this.#wakeIn(wait);
            return null;
        }
        const next = this.#choose(inFlight, takeNew);
        if (next !== null) this.#rate.take(performance.now());
        return next;
    }

    #wakeIn(milliseconds: number): void {
        this.#rateTimer ??= setTimeout(() => {
            this.#rateTimer = null;
            this.#wake();
        }, milliseconds);
    }

    #choose(inFlight: number, takeNew: () => TaskState | null): TaskState | null {
        const half = Math.max(1, Math.floor(this.concurrency / 2));
        if (this.#confirming.size > 0 || this.#confirmationsAreDue()) {
            const next = inFlight < half ? this.#confirmations.shift() : undefined;
            if (next === undefined) return null;
            this.#confirming.add(next);
            return next;
        }
        if (inFlight + this.#pausing >= this.window || !this.#isInBatch(inFlight)) return null;
        const next = this.#retries.shift() ?? takeNew();
        if (next !== null) this.#leftOfBatch -= 1;
        if (next !== null || this.#confirmations.length === 0 || inFlight >= half) return next;
        // Nothing else is left: now is the time.
        const confirm = this.#confirmations.shift() ?? null;
        if (confirm !== null) this.#confirming.add(confirm);
        return confirm;
    }

    /** Whether the batch has room for one more. A new one begins when all tasks of the last have ended. */
    #isInBatch(inFlight: number): boolean {
        const { batchSize } = this.#pace;
        if (inFlight === 0) this.#leftOfBatch = batchSize;
        return batchSize === 0 || this.#leftOfBatch > 0;
    }

    #confirmationsAreDue(): boolean {
        if (this.#confirmations.length === 0) return false;
        return (
            this.#confirmations.length >= this.concurrency ||
            performance.now() - this.#confirmSince > CONFIRM_WAIT_S * 1000
        );
    }

    confirmLater(state: TaskState): void {
        if (this.#confirmations.length === 0) this.#confirmSince = performance.now();
        this.#confirmations.push(state);
    }

    retryAfter(state: TaskState, delay: number): void {
        const timer = setTimeout(() => {
            this.#timers.delete(timer);
            this.#retries.push(state);
            this.#wake();
        }, delay * 1000);
        this.#timers.add(timer);
    }

    /** A task that `take` gave has ended after `duration` seconds. */
    ended(state: TaskState, duration: number): void {
        this.#confirming.delete(state);
        this.#mean += (duration - this.#mean) * 0.05;
        if (this.#pace.delay > 0) this.#pause();
    }

    #pause(): void {
        this.#pausing += 1;
        const timer = setTimeout(() => {
            this.#pauses.delete(timer);
            this.#pausing -= 1;
            this.#wake();
        }, this.#pace.delay * 1000);
        this.#pauses.add(timer);
    }

    /** Forgets what waits: the run is over. */
    clear(): void {
        clearTimeout(this.#rateTimer ?? undefined);
        this.#rateTimer = null;
        for (const timer of this.#pauses) clearTimeout(timer);
        this.#pauses.clear();
        for (const timer of this.#timers) clearTimeout(timer);
        this.#timers.clear();
        this.#retries.length = 0;
        this.#confirmations.length = 0;
    }
}

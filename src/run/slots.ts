import { RateLimit } from '../util/rate-limit.js';
import type { TaskState } from './task-state.js';

/** If tasks take less than this (seconds, moving average), they are handed out ahead, so that workers never wait. */
const FAST_TASK_S = 0.005;

/**
 * Doubtful verdicts are confirmed together: after this many seconds, when as many as there are slots wait, or when nothing else
 * is left.
 */
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
 * Decides what starts next: retries that are due, new tasks, and tasks whose verdict is to be confirmed (with half the
 * workers idle).
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
    /** Running tasks whose verdict is being confirmed. */
    readonly #confirming = new Set<TaskState>();
    #confirmSince = 0;
    #mean = 1;

    readonly #pace: Pace;
    readonly #rate: RateLimit;
    /** Set while the rate delays the next start. */
    #rateTimer: NodeJS.Timeout | null = null;
    readonly #wake: () => void;
    concurrency: number;
    /** Number of slots pausing after a task. */
    #pausing = 0;
    /** Tasks that may still start in the current batch. */
    #leftOfBatch: number;

    /** @param wake called when something may have become ready to start */
    constructor(pace: Pace & { readonly concurrency: number; readonly prefetch: number }, wake: () => void) {
        this.concurrency = pace.concurrency;
        this.#prefetch = pace.prefetch;
        this.#pace = pace;
        this.#wake = wake;
        this.#rate = new RateLimit(pace.rate);
        this.#leftOfBatch = pace.batchSize;
    }

    /** Maximum number of tasks with the backend at once. */
    get window(): number {
        return this.concurrency + (this.#mean < FAST_TASK_S ? this.#prefetch : 0);
    }

    /** Number of tasks waiting for another try. */
    get waiting(): number {
        return this.#retries.length + this.#confirmations.length + this.#timers.size;
    }

    /** The next task to start while `inFlight` tasks run; null if there is none, or none may start. */
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
        // Nothing else is left, so confirm now.
        const confirm = this.#confirmations.shift() ?? null;
        if (confirm !== null) this.#confirming.add(confirm);
        return confirm;
    }

    /** Whether the batch has room for another task. A new batch begins when all tasks of the last one have ended. */
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

    /** Records that a task returned by `take` has ended after `duration` seconds. */
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

    /** Drops everything that waits: the run is over. */
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

import type { OutcomeClass } from './outcome-class.js';

/** Consecutive successes after which an adaptive limit grows by one. */
const RUN_OF_SUCCESSES = 10;
/** Factor by which more successes are needed to return to the limit at which the last rate error occurred. */
const CAUTION = 20;

/** Number of concurrent requests that an endpoint receives. `fixed`: always the same; `adaptive`: as many as it can handle. */
export class ConcurrencyLimit {
    #successes = 0;
    #current: number;
    /** The limit at which the last rate error occurred. */
    #tooMany = Number.POSITIVE_INFINITY;
    /** When the limit was last halved, in milliseconds of the pool's clock. */
    #halvedAt = Number.NEGATIVE_INFINITY;

    /** @param ceiling initial value, which the limit never exceeds */
    constructor(
        private readonly mode: 'fixed' | 'adaptive',
        private ceiling: number,
    ) {
        this.#current = ceiling;
    }

    /** Starts again from another ceiling, determined in the meantime. */
    restart(ceiling: number): void {
        this.ceiling = ceiling;
        this.#current = ceiling;
        this.#successes = 0;
        this.#tooMany = Number.POSITIVE_INFINITY;
    }

    /** Raises the ceiling, if the given one is higher. */
    raiseCeiling(ceiling: number): void {
        if (ceiling <= this.ceiling) return;
        if (this.#current === this.ceiling) this.#current = ceiling;
        this.ceiling = ceiling;
    }

    get value(): number {
        return this.#current;
    }

    /**
     * Halves on a rate error, grows by one after a run of successes, and otherwise stays the same. Several requests in flight
     * together may all get a rate error; since the limit was too high only once, it is halved once.
     * @param sentAt when the request was sent; like `now`, in milliseconds of the pool's clock
     */
    note(outcome: OutcomeClass, sentAt: number, now: number): void {
        if (this.mode === 'fixed' || outcome === 'abandoned') return;
        if (outcome === 'rate' && sentAt > this.#halvedAt) {
            this.#tooMany = this.#current;
            this.#current = Math.max(1, Math.floor(this.#current / 2));
            this.#halvedAt = now;
        }
        this.#successes = outcome === 'ok' ? this.#successes + 1 : 0;
        const needed = RUN_OF_SUCCESSES * (this.#current + 1 >= this.#tooMany ? CAUTION : 1);
        if (this.#successes < needed) return;
        this.#successes = 0;
        this.#current = Math.min(this.ceiling, this.#current + 1);
        if (this.#current > this.#tooMany) this.#tooMany = Number.POSITIVE_INFINITY;
    }
}

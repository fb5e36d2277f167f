import type { OutcomeClass } from './outcome-class.js';

/** Successes in a row that let an adaptive limit grow by one. */
const RUN_OF_SUCCESSES = 10;
/** How many times as many it takes to go again where the last rate error came from. */
const CAUTION = 20;

/** How many requests an endpoint gets at once. `fixed`: always the same; `adaptive`: as many as it takes well. */
export class ConcurrencyLimit {
    #successes = 0;
    #current: number;
    /** The limit at which the last rate error came. */
    #tooMany = Number.POSITIVE_INFINITY;
    /** When it was last halved, in milliseconds of the pool's clock. */
    #halvedAt = Number.NEGATIVE_INFINITY;

    /** @param ceiling where it begins, and what it never exceeds */
    constructor(
        private readonly mode: 'fixed' | 'adaptive',
        private ceiling: number,
    ) {
        this.#current = ceiling;
    }

    /** Begins again from another ceiling, which was found out meanwhile. */
    restart(ceiling: number): void {
        this.ceiling = ceiling;
        this.#current = ceiling;
        this.#successes = 0;
        this.#tooMany = Number.POSITIVE_INFINITY;
    }

    /** From now on it may take so many, where that is more than before. */
    raiseCeiling(ceiling: number): void {
        if (ceiling <= this.ceiling) return;
        if (this.#current === this.ceiling) this.#current = ceiling;
        this.ceiling = ceiling;
    }

    get value(): number {
        return this.#current;
    }

    /**
     * Halves on a rate error, grows by one after a run of successes, holds on everything else. Of requests that were in
     * flight together many may get a rate error: one limit was too high, once.
     * @param sentAt when the request was sent, and `now`, both in milliseconds of the pool's clock
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

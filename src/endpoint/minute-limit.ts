/** A minute, in milliseconds, plus half a second, since a request may travel faster than those of the minute before. */
export const MINUTE = 60_500;

/** An amount that was taken; only the limit changes it. */
export interface Taken {
    /** When it is sent, in milliseconds. */
    readonly at: number;
    amount: number;
    /** Whether its minute has passed. */
    isOver: boolean;
}

/**
 * A limit per minute (requests, tokens) that is kept however the service counts: by the clock, over the last sixty seconds, or
 * with an evenly refilled bucket. The amount taken is an estimate, reserved before the request; `settle` corrects it when the
 * true amount is known.
 */
export class MinuteLimit {
    readonly #perMinute: number;
    /** Ordered by time; entries that are over are removed from time to time. */
    #entries: Taken[] = [];
    /** Index of the first entry that is not over. */
    #first = 0;
    #sum = 0;

    /** @param perMinute null: no limit */
    constructor(perMinute: number | null) {
        this.#perMinute = perMinute ?? Number.POSITIVE_INFINITY;
    }

    /** Milliseconds until `amount` may be taken. An amount above the limit waits for a whole minute. */
    delay(amount: number, now: number): number {
        if (this.#perMinute === Number.POSITIVE_INFINITY) return 0;
        this.#forget(now);
        let at = Math.max(now, this.#entries.at(-1)?.at ?? now);
        let excess = this.#sum + Math.min(amount, this.#perMinute) - this.#perMinute;
        for (let index = this.#first; excess > 0 && index < this.#entries.length; index += 1) {
            const entry = this.#entries[index];
            if (entry === undefined) break;
            excess -= entry.amount;
            at = Math.max(at, entry.at + MINUTE);
        }
        return at - now;
    }

    /** Takes the amount in advance, so that later requests wait longer. @param at when it is sent; not before `delay` allows */
    take(amount: number, at: number): Taken {
        const taken: Taken = { at, amount, isOver: false };
        if (this.#perMinute === Number.POSITIVE_INFINITY) return taken;
        this.#entries.push(taken);
        this.#sum += amount;
        return taken;
    }

    /** Returns what was reserved but not used, or takes what was used in excess. */
    settle(taken: Taken, used: number): void {
        if (!taken.isOver && this.#perMinute !== Number.POSITIVE_INFINITY) this.#sum += used - taken.amount;
        taken.amount = used;
    }

    #forget(now: number): void {
        for (
            let entry = this.#entries[this.#first];
            entry !== undefined && entry.at + MINUTE <= now;
            entry = this.#entries[this.#first]
        ) {
            entry.isOver = true;
            this.#sum -= entry.amount;
            this.#first += 1;
        }
        // Not done at every call, since the remaining entries have to be moved.
        if (this.#first < 1000 && this.#first < this.#entries.length) return;
        this.#entries.splice(0, this.#first);
        this.#first = 0;
    }
}

/**
 * What counts as a minute, milliseconds: half a second more, since a request may be quicker on its way than those of the minute
 * before.
 */
export const MINUTE = 60_500;

/** An amount that was taken; the limit alone changes it. */
export interface Taken {
    /** When it is sent, milliseconds. */
    readonly at: number;
    amount: number;
    /** Its minute has passed. */
    isOver: boolean;
}

/**
 * An amount a minute (requests, tokens) that no minute exceeds, whichever way the service counts: by the clock, by the last
 * sixty seconds, or by a bucket that flows back evenly. What is taken is an estimate, reserved before the request; `settle`
 * corrects it when the true amount is known.
 */
export class MinuteLimit {
    readonly #perMinute: number;
    /** In the order of their times, those that are over left out now and then. */
    #entries: Taken[] = [];
    /** Those before it are over. */
    #first = 0;
    #sum = 0;

    /** @param perMinute null: no limit */
    constructor(perMinute: number | null) {
        this.#perMinute = perMinute ?? Number.POSITIVE_INFINITY;
    }

    /** Milliseconds until `amount` may be taken. One that is larger than a minute's worth waits for a whole minute. */
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

    /** Takes it ahead, so that whoever comes later waits longer. @param at when it is sent: not before `delay` allows it */
    take(amount: number, at: number): Taken {
        const taken: Taken = { at, amount, isOver: false };
        if (this.#perMinute === Number.POSITIVE_INFINITY) return taken;
        this.#entries.push(taken);
        this.#sum += amount;
        return taken;
    }

    /** Gives back what was reserved and not used; takes what was used beyond it. */
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
        // Not at every call: what is left moves up.
        if (this.#first < 1000 && this.#first < this.#entries.length) return;
        this.#entries.splice(0, this.#first);
        this.#first = 0;
    }
}

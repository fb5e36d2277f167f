const MINUTE = 60_000;

/**
 * An amount a minute (requests, tokens) that flows back evenly. What is taken is an estimate, reserved before the request;
 * `settle` corrects it when the true amount is known. Times in milliseconds.
 */
export class MinuteLimit {
    readonly #perMinute: number;
    #left: number;
    /** When it was last refilled; null: never. */
    #since: number | null = null;

    /** @param perMinute null: no limit */
    constructor(perMinute: number | null) {
        this.#perMinute = perMinute ?? Number.POSITIVE_INFINITY;
        this.#left = this.#perMinute;
    }

    /** Milliseconds until `amount` may be taken. One that is larger than a minute's worth waits for a full minute's. */
    delay(amount: number, now: number): number {
        if (this.#perMinute === Number.POSITIVE_INFINITY) return 0;
        this.#refill(now);
        const missing = Math.min(amount, this.#perMinute) - this.#left;
        return missing <= 0 ? 0 : (missing / this.#perMinute) * MINUTE;
    }

    /** Takes it at once. @returns milliseconds to wait before sending; those who come later wait longer */
    take(amount: number, now: number): number {
        const delay = this.delay(amount, now);
        this.#left -= amount;
        return delay;
    }

    /** Gives back what was reserved and not used; takes what was used beyond it. */
    settle(reserved: number, used: number): void {
        this.#left = Math.min(this.#perMinute, this.#left + reserved - used);
    }

    #refill(now: number): void {
        const passed = now - (this.#since ?? now);
        this.#left = Math.min(this.#perMinute, this.#left + (passed / MINUTE) * this.#perMinute);
        this.#since = now;
    }
}

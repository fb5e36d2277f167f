/** Milliseconds. Another run may take over after three minutes of silence: see host/lock.ts. */
const FRESH_FOR = 30_000;

/**
 * Lets tasks start only if a recent check showed that this run still holds the directory. A run that slept (a suspended laptop, a
 * stopped process) may have lost it to another one, which runs the same tasks.
 */
export class HolderCheck {
    readonly #verify: () => Promise<void>;
    readonly #onEnd: (error: unknown) => void;
    // Start unchecked: planning may have taken hours, or the machine may have slept meanwhile.
    #steady = Number.NEGATIVE_INFINITY;
    #date = Number.NEGATIVE_INFINITY;
    #isRunning = false;

    /**
     * @param verify throws if the directory now belongs to another run
     * @param onEnd called when a check has ended: with its error, or null if tasks may start again
     */
    constructor(verify: () => Promise<void>, onEnd: (error: unknown) => void) {
        this.#verify = verify;
        this.#onEnd = onEnd;
    }

    /** Whether a task may start now; if not, a check is in progress. */
    isFresh(): boolean {
        // The steady clock stops while the machine sleeps; the calendar clock does not, but it can be set. So compare both.
        const steady = performance.now() - this.#steady;
        const date = Math.abs(Date.now() - this.#date);
        if (steady < FRESH_FOR && date < FRESH_FOR) return true;
        if (!this.#isRunning) void this.#check();
        return false;
    }

    async #check(): Promise<void> {
        this.#isRunning = true;
        const [steady, date] = [performance.now(), Date.now()];
        let failure: unknown = null;
        try {
            await this.#verify();
            this.#steady = steady;
            this.#date = date;
        } catch (error) {
            failure = error;
        }
        this.#isRunning = false;
        this.#onEnd(failure);
    }
}

/** Milliseconds. A run that others believe dead is taken over after three minutes of silence: see host/lock.ts. */
const FRESH_FOR = 30_000;

/**
 * Lets tasks start only while it was lately seen that the directory is still held. A run that slept (a suspended laptop, a
 * stopped process) may have lost it to another one, which runs the same tasks.
 */
export class HolderCheck {
    readonly #verify: () => Promise<void>;
    readonly #onEnd: (error: unknown) => void;
    // Never checked: planning may have taken hours, and the machine may have slept meanwhile.
    #steady = Number.NEGATIVE_INFINITY;
    #date = Number.NEGATIVE_INFINITY;
    #isRunning = false;

    /**
     * @param verify throws if the directory is another run's by now
     * @param onEnd called when a check has ended: with its error, or null when tasks may start again
     */
    constructor(verify: () => Promise<void>, onEnd: (error: unknown) => void) {
        this.#verify = verify;
        this.#onEnd = onEnd;
    }

    /** Whether a task may start now; if not, a check is under way. */
    isFresh(): boolean {
        // The steady clock stands still while the machine sleeps, the calendar does not; the calendar may be set, the other not.
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

/** Tasks shorter than this (seconds, moving average) are taken ahead, so that several travel together. */
const TINY_TASK_S = 0.005;

/** Jobs that one slot may have waiting, at most and while it is not known how fast they go. */
const MOST_A_SLOT = 32;
const LEAST_A_SLOT = 4;

/** Milliseconds: jobs that wait are about as many as end in so long. */
const WAIT_MS = 200;

/** Milliseconds that a job may wait in a worker, and that a worker with waiting jobs may go without an answer. */
export const MOST_WAIT_MS = 1000;
export const MOST_SILENCE_MS = 200;

/** Decides how many jobs a worker takes beyond its slots: some while its tasks are tiny, none otherwise. */
export class JobsAhead {
    #mean = 1;
    /** Jobs that have ended since. */
    #ended = 0;
    #since = performance.now();
    /** Jobs that end in `WAIT_MS`, as was measured last. */
    #rate = 0;
    #lastEnd = performance.now();

    /** @param duration seconds */
    noteEnd(duration: number): void {
        this.#lastEnd = performance.now();
        this.#mean += (duration - this.#mean) * 0.05;
        this.#ended += 1;
        const elapsed = this.#lastEnd - this.#since;
        if (elapsed < WAIT_MS) return;
        this.#rate = (this.#ended * WAIT_MS) / elapsed;
        this.#ended = 0;
        this.#since = this.#lastEnd;
    }

    /** No job is taken ahead until some have been tiny again, about fifty. */
    pause(): void {
        this.#mean = Math.max(this.#mean, 10 * TINY_TASK_S);
    }

    count(slots: number): number {
        if (this.#mean >= TINY_TASK_S) return 0;
        return Math.min(MOST_A_SLOT * slots, Math.max(LEAST_A_SLOT * slots, Math.ceil(this.#rate)));
    }

    get isSilent(): boolean {
        return performance.now() - this.#lastEnd > MOST_SILENCE_MS;
    }
}

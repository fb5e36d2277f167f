/** Tasks shorter than this (seconds, moving average) are taken ahead, so that several travel together. */
const TINY_TASK_S = 0.005;

/** Tasks that one slot may have waiting, at most and while it is not known how fast they go. */
const MOST_A_SLOT = 32;
const LEAST_A_SLOT = 4;

/** Milliseconds: tasks that wait are about as many as end in so long. */
const WAIT_MS = 200;

/** Milliseconds that a task may wait in a worker, and that a worker with waiting tasks may go without an answer. */
export const MOST_WAIT_MS = 1000;
export const MOST_SILENCE_MS = 200;

/** Decides how many tasks a worker takes beyond its slots: some while they are tiny, none otherwise. */
export class JobsAhead {
    #mean = 1;
    /** Tasks that have ended since. */
    #ended = 0;
    #since = performance.now();
    /** Tasks that end in `WAIT_MS`, as was measured last. */
    #rate = 0;
    #lastEnd = performance.now();
    /** Tasks of a job, moving average. */
    #tasksAJob = 1;

    /** The first task after a rest begins: there was no silence. */
    noteBegin(): void {
        this.#lastEnd = performance.now();
    }

    /** @param tasks of a job that was taken */
    noteJob(tasks: number): void {
        this.#tasksAJob += (Math.max(1, tasks) - this.#tasksAJob) * 0.2;
    }

    /** Jobs that have about so many tasks. */
    countJobs(tasks: number): number {
        return Math.max(1, Math.round(tasks / this.#tasksAJob));
    }

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

    /** No task is taken ahead until some have been tiny again, about fifty. */
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

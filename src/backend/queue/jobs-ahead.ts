/** Tasks that take less than this (seconds, moving average) are taken ahead, so that several travel together. */
const TINY_TASK_S = 0.005;

/** Maximum number of waiting tasks per slot, and the minimum, which is used until the rate is known. */
const MAX_PER_SLOT = 32;
const MIN_PER_SLOT = 4;

/** Milliseconds. About as many tasks wait as end in this time. */
const WAIT_MS = 200;

/** Milliseconds that a task may wait in a worker, and that a worker with waiting tasks may go without an answer. */
export const MAX_WAIT_MS = 1000;
export const MAX_SILENCE_MS = 200;

/** Decides how many tasks a worker takes beyond its slots: some while they are tiny, otherwise none. */
export class JobsAhead {
    #mean = 1;
    /** Tasks that have ended since `#since`. */
    #ended = 0;
    #since = performance.now();
    /** Number of tasks that end in `WAIT_MS`, as last measured. */
    #rate = 0;
    #lastEnd = performance.now();
    /** Tasks per job, moving average. */
    #tasksAJob = 1;

    /** The first task after an idle time begins, which does not count as silence. */
    noteBegin(): void {
        this.#lastEnd = performance.now();
    }

    /** @param tasks number of tasks in a job that was taken */
    noteJob(tasks: number): void {
        this.#tasksAJob += (Math.max(1, tasks) - this.#tasksAJob) * 0.2;
    }

    /** Number of jobs that contain about `tasks` tasks. */
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

    /** Stops taking tasks ahead until about fifty have been tiny again. */
    pause(): void {
        this.#mean = Math.max(this.#mean, 10 * TINY_TASK_S);
    }

    count(slots: number): number {
        if (this.#mean >= TINY_TASK_S) return 0;
        return Math.min(MAX_PER_SLOT * slots, Math.max(MIN_PER_SLOT * slots, Math.ceil(this.#rate)));
    }

    get isSilent(): boolean {
        return performance.now() - this.#lastEnd > MAX_SILENCE_MS;
    }
}

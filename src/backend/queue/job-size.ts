import { MOST_TASKS } from './messages.js';

/** Tasks shorter than this (seconds, moving average) share jobs. */
const TINY_TASK_S = 0.005;

/** Seconds of work that a job with several tasks carries: so long they may wait in one worker while another one is idle. */
const MOST_WORK_S = 0.05;

/** Decides how many tasks share a job: some while they are tiny, so that what a job costs is shared, and one otherwise. */
export class JobSize {
    #mean = 1;

    /** @param duration seconds that a task took */
    noteEnd(duration: number): void {
        this.#mean += (duration - this.#mean) * 0.05;
    }

    /** Tasks of a job, at most. */
    get most(): number {
        if (this.#mean >= TINY_TASK_S) return 1;
        return Math.min(MOST_TASKS, Math.floor(MOST_WORK_S / this.#mean));
    }
}

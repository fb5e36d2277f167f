import { MOST_TASKS } from './messages.js';

/** Tasks shorter than this (seconds, moving average) share jobs. */
const TINY_TASK_S = 0.005;

/** Seconds of work that a job may carry. */
const MOST_WORK_S = 0.05;

/** Jobs that every slot of a worker is to find, beside the one it is at: with fewer, some would wait while others are busy. */
const JOBS_A_SLOT = 2;

/** Decides how many tasks share a job: some while they are tiny, so that what a job costs is shared, and one otherwise. */
export class JobSize {
    #mean = 1;

    /** @param duration seconds that a task took */
    noteEnd(duration: number): void {
        this.#mean += (duration - this.#mean) * 0.05;
    }

    /**
     * @param tasks that are with the queue
     * @param slots of all workers; 0: not known
     */
    count(tasks: number, slots: number): number {
        if (this.#mean >= TINY_TASK_S || slots === 0) return 1;
        const fair = Math.floor(tasks / (JOBS_A_SLOT * slots));
        return Math.max(1, Math.min(MOST_TASKS, fair, Math.floor(MOST_WORK_S / this.#mean)));
    }
}

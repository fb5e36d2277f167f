import { MAX_TASKS_PER_JOB } from './messages.js';

/** Tasks that take less than this (seconds, moving average) share jobs. */
const TINY_TASK_S = 0.005;

/** Seconds of work in a job with several tasks, which bounds how long they may wait in one worker while another one is idle. */
const MAX_WORK_S = 0.05;

/** Decides how many tasks share a job: several while they are tiny, to share the cost of the job, and otherwise one. */
export class JobSize {
    #mean = 1;

    /** @param duration duration of a task in seconds */
    noteEnd(duration: number): void {
        this.#mean += (duration - this.#mean) * 0.05;
    }

    /** Maximum number of tasks in a job. */
    get most(): number {
        if (this.#mean >= TINY_TASK_S) return 1;
        return Math.min(MAX_TASKS_PER_JOB, Math.floor(MAX_WORK_S / this.#mean));
    }
}

import { randomBytes } from 'node:crypto';
import type { Flight, TaskJob } from './flight.js';
import type { TaskQueue } from './task-queues.js';

/*
 * A BullMQ job carries one task, or several that are so short that a job for each would cost more than they do. Workers take,
 * renew and lose whole jobs; answers, aborts and quarantine are per task.
 */

/** Id prefix of jobs with several tasks; the id of a job with one task is the task's name. */
const SHARED = 'batch-';

export const isShared = (job: string): boolean => job.startsWith(SHARED);

/** Whether the task still waits for the results of its job. */
export const isInRedis = ({ state, job }: Flight): boolean => state === 'in Redis' && job !== null;

/** The jobs of a coordinator. */
export class TaskJobs {
    readonly #jobs = new Map<string, TaskJob>();

    get(id: string): TaskJob | undefined {
        return this.#jobs.get(id);
    }

    values(): Iterable<TaskJob> {
        return this.#jobs.values();
    }

    /** Makes a new job for these tasks. */
    make(queue: TaskQueue, flights: readonly Flight[]): TaskJob {
        const [first] = flights;
        const isSingle = flights.length === 1 && first !== undefined;
        const id = isSingle ? first.name : `${SHARED}${randomBytes(12).toString('hex')}`;
        const job = this.#open(id, queue);
        for (const flight of flights) this.#enter(flight, job);
        return job;
    }

    /** Records that a task is in a job of an earlier coordinator. */
    join(flight: Flight, id: string, queue: TaskQueue): TaskJob {
        const job = this.#jobs.get(id) ?? this.#open(id, queue);
        this.#enter(flight, job);
        return job;
    }

    #open(id: string, queue: TaskQueue): TaskJob {
        const job: TaskJob = {
            id,
            queue,
            flights: new Set(),
            kept: [],
            isCompleted: false,
            isTaking: false,
            next: null,
        };
        this.#jobs.set(id, job);
        return job;
    }

    #enter(flight: Flight, job: TaskJob): void {
        flight.queue = job.queue;
        flight.job = job;
        job.flights.add(flight);
    }

    /** Removes a task from its job. @returns the job if no other task is left in it; null otherwise */
    leave(flight: Flight): TaskJob | null {
        const { job } = flight;
        if (job === null) return null;
        flight.job = null;
        job.flights.delete(flight);
        job.kept.push(...flight.kept);
        flight.kept = [];
        if (job.flights.size > 0) return null;
        if (this.#jobs.get(job.id) === job) this.#jobs.delete(job.id);
        return job;
    }
}

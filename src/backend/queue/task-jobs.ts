import { randomBytes } from 'node:crypto';
import type { Flight, TaskJob } from './flight.js';
import type { TaskQueue } from './task-queues.js';

/*
 * A job of BullMQ carries one task, or several that are so short that a job each would cost more than they do. What a worker takes,
 * renews and loses is the job; answers, aborts and quarantine are each task's own.
 */

/** The id of a job with several tasks starts with it; a job with one task has its task's name. */
const SHARED = 'batch-';

export const isShared = (job: string): boolean => job.startsWith(SHARED);

/** Whether it still waits for what its job comes to. */
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

    /** A new job for these tasks. */
    make(queue: TaskQueue, flights: readonly Flight[]): TaskJob {
        const [first] = flights;
        const isSingle = flights.length === 1 && first !== undefined;
        const id = isSingle ? first.name : `${SHARED}${randomBytes(12).toString('hex')}`;
        const job = this.#open(id, queue);
        for (const flight of flights) this.#enter(flight, job);
        return job;
    }

    /** A task is in a job that an earlier coordinator made. */
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

    /** A task is done with its job. @returns the job if it was the last one; null: it was not, or had none */
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

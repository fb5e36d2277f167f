import type { Redis } from 'ioredis';
import type { TaskQueue } from './task-queues.js';

/** A job that was in Redis before this coordinator. */
export interface WaitingJob {
    readonly job: string;
    readonly queue: TaskQueue;
    readonly state: 'finished' | 'unfinished';
}

/** Jobs of an earlier coordinator, until the tasks that they are for are started. */
export class WaitingJobs {
    readonly #byTask = new Map<string, WaitingJob>();
    readonly #unclaimed = new Set<string>();

    /** @param jobs of several for one task the first is taken */
    constructor(jobs: readonly WaitingJob[]) {
        for (const job of jobs) {
            this.#unclaimed.add(job.job);
            const task = taskOf(job.job);
            if (!this.#byTask.has(task)) this.#byTask.set(task, job);
        }
    }

    get size(): number {
        return this.#byTask.size;
    }

    /** Whether a job waits for its task to be started. */
    has(job: string): boolean {
        return this.#unclaimed.has(job);
    }

    /** The job of a task; null: there is none. A job is given out once. */
    claim(task: string): WaitingJob | null {
        const found = this.#byTask.get(task) ?? null;
        if (found !== null) {
            this.#byTask.delete(task);
            this.#unclaimed.delete(found.job);
        }
        return found;
    }
}

/** A job's id is its task and the number of the attempt: `<task>-<attempt>`. */
const taskOf = (job: string): string => job.slice(0, job.lastIndexOf('-'));

/** What an earlier coordinator of the run left in Redis, finished jobs first. */
export async function findWaitingJobs(client: Redis, queues: readonly TaskQueue[]): Promise<WaitingJobs> {
    const found = await Promise.all(queues.map((queue) => findInQueue(client, queue)));
    const jobs = found.flat();
    return new WaitingJobs([
        ...jobs.filter(({ state }) => state === 'finished'),
        ...jobs.filter(({ state }) => state === 'unfinished'),
    ]);
}

async function findInQueue(client: Redis, queue: TaskQueue): Promise<WaitingJob[]> {
    const { keys } = queue;
    const [completed, failed, active, wait] = await Promise.all([
        client.zrange(keys.state('completed'), '0', '-1'),
        client.zrange(keys.state('failed'), '0', '-1'),
        client.lrange(keys.state('active'), '0', '-1'),
        client.lrange(keys.state('wait'), '0', '-1'),
    ]);
    return [
        ...[...completed, ...failed].map((job) => ({ job, queue, state: 'finished' as const })),
        ...[...active, ...wait].map((job) => ({ job, queue, state: 'unfinished' as const })),
    ];
}

import type { Redis } from 'ioredis';
import { unpackJob } from './messages.js';
import { isShared } from './task-jobs.js';
import type { TaskQueue } from './task-queues.js';

/** A task in a job that was in Redis before this coordinator started. */
export interface WaitingTask {
    /** The task's name in Redis. */
    readonly name: string;
    /** Id of its job. */
    readonly job: string;
    readonly queue: TaskQueue;
    readonly state: 'finished' | 'unfinished';
}

/** Jobs of an earlier coordinator, until the tasks in them are started. */
export class WaitingJobs {
    readonly #byTask = new Map<string, WaitingTask>();
    /** Names of unclaimed tasks, and the number of them in each job. */
    readonly #names = new Set<string>();
    readonly #jobs = new Map<string, number>();

    /** @param tasks if a task occurs several times, the first one is used */
    constructor(tasks: readonly WaitingTask[]) {
        for (const task of tasks) {
            this.#names.add(task.name);
            this.#jobs.set(task.job, (this.#jobs.get(task.job) ?? 0) + 1);
            const key = withoutAttempt(task.name);
            if (!this.#byTask.has(key)) this.#byTask.set(key, task);
        }
    }

    get size(): number {
        return this.#byTask.size;
    }

    /** Whether a task with this name waits to be started. */
    has(name: string): boolean {
        return this.#names.has(name);
    }

    /** Whether a job has an unclaimed task. */
    hasJob(job: string): boolean {
        return this.#jobs.has(job);
    }

    /** Returns what waits for a task, once only; null if nothing does. @param key the task's name without the attempt */
    claim(key: string): WaitingTask | null {
        const found = this.#byTask.get(key) ?? null;
        if (found === null) return null;
        this.#byTask.delete(key);
        this.#names.delete(found.name);
        const left = (this.#jobs.get(found.job) ?? 0) - 1;
        if (left > 0) this.#jobs.set(found.job, left);
        else this.#jobs.delete(found.job);
        return found;
    }
}

/** The name of a task in Redis is `<task>-<attempt>`. */
const withoutAttempt = (name: string): string => name.slice(0, name.lastIndexOf('-'));

/** Finds what an earlier coordinator of the run left in Redis, finished jobs first. */
export async function findWaitingJobs(client: Redis, queues: readonly TaskQueue[]): Promise<WaitingJobs> {
    const found = (await Promise.all(queues.map((queue) => findInQueue(client, queue)))).flat();
    const finished = found.filter(({ state }) => state === 'finished');
    const unfinished = found.filter(({ state }) => state === 'unfinished');
    // A task that is both in a shared job and in its own was handed out again.
    const own = (task: WaitingTask): boolean => !isShared(task.job);
    const shared = (task: WaitingTask): boolean => isShared(task.job);
    return new WaitingJobs([
        ...finished.filter(own),
        ...finished.filter(shared),
        ...unfinished.filter(own),
        ...unfinished.filter(shared),
    ]);
}

async function findInQueue(client: Redis, queue: TaskQueue): Promise<WaitingTask[]> {
    const { keys } = queue;
    const [completed, failed, active, wait] = await Promise.all([
        client.zrange(keys.state('completed'), '0', '-1'),
        client.zrange(keys.state('failed'), '0', '-1'),
        client.lrange(keys.state('active'), '0', '-1'),
        client.lrange(keys.state('wait'), '0', '-1'),
    ]);
    const found = [
        ...[...completed, ...failed].map((job) => ({ job, queue, state: 'finished' as const })),
        ...[...active, ...wait].map((job) => ({ job, queue, state: 'unfinished' as const })),
    ];
    const names = await Promise.all(
        found.map(async ({ job }) => (isShared(job) ? readNames(client, keys.job(job)) : [job])),
    );
    return found.flatMap((one, at) => (names[at] ?? []).map((name) => ({ ...one, name })));
}

/** @returns an empty list if the job is not one of ours, or no longer exists */
async function readNames(client: Redis, key: string): Promise<readonly string[]> {
    const data = await client.hget(key, 'data');
    try {
        return unpackJob(JSON.parse(data ?? 'null')).tasks.map(({ name }) => name);
    } catch {
        return [];
    }
}

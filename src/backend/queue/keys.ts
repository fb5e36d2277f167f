/*
 * The keys in Redis. All keys of a run contain its id in braces, so that a cluster keeps them together and an access list can
 * match them.
 */

const ROOT = 'resume-run';

/** Hash: name of a run -> `RunInfo`. */
export const RUNS_KEY = `${ROOT}:runs`;

/** Hash: worker id -> `WorkerInfo`. */
export const WORKERS_KEY = `${ROOT}:workers`;

/**
 * Name of the queue of tasks that any worker of a run can do; tasks that need a toolchain have other queues, see task-queues.ts.
 */
export const QUEUE_NAME = 'tasks';

/** The keys of one run. */
export interface RunKeys {
    /** Prefix of BullMQ's own keys. */
    readonly prefix: string;
    /** Hash: name of a queue -> the languages that its tasks need, as JSON. */
    readonly queues: string;
    /** List: requests of running tasks to the coordinator. */
    readonly calls: string;
    /** List: log lines of running tasks; bounded. */
    readonly logs: string;
    /** Channel: ids of jobs to abort. */
    readonly aborts: string;
    /** String: the process that coordinates the run; expires unless the coordinator renews it. */
    readonly coordinator: string;
    /** List: the coordinator's answers to one worker. */
    replies(worker: string): string;
    /** String: an answer that is too long for its job. @param name differs with each try */
    answer(name: string): string;
    /** String: a piece of an output file. @param name name of the answer that refers to the file */
    output(name: string, sha256: string, piece: number): string;
    /** String: a file of a sample, by the SHA-256 of its bytes. */
    file(sha256: string): string;
    /** BullMQ's keys for one queue. */
    queue(name: string): QueueKeys;
}

/** The keys of one queue. */
export interface QueueKeys {
    /** Hash: a job. */
    job(id: string): string;
    /** String: the token of the worker that has a job; expires unless the worker renews it. */
    lock(id: string): string;
    /** Ids of jobs by state, and BullMQ's own data. */
    state(state: (typeof STATES)[number] | 'stalled-check'): string;
}

/** Last parts of the keys that BullMQ creates for such a queue, except those of jobs and those that expire by themselves. */
export const STATES = [
    'wait',
    'active',
    'completed',
    'failed',
    'meta',
    'id',
    'events',
    'marker',
    'stalled',
] as const;

/** @param run the run's name, see `nameRun` */
export function makeRunKeys(run: string): RunKeys {
    const prefix = `${ROOT}:{${run}}`;
    return {
        prefix,
        queues: `${prefix}:queues`,
        calls: `${prefix}:calls`,
        logs: `${prefix}:logs`,
        aborts: `${prefix}:aborts`,
        coordinator: `${prefix}:coordinator`,
        replies: (worker) => `${prefix}:replies:${worker}`,
        answer: (name) => `${prefix}:answer:${name}`,
        output: (name, sha256, piece) => `${prefix}:output:${name}:${sha256}:${piece}`,
        file: (sha256) => `${prefix}:file:${sha256}`,
        queue: (name) => ({
            job: (id) => `${prefix}:${name}:${id}`,
            lock: (id) => `${prefix}:${name}:${id}:lock`,
            state: (state) => `${prefix}:${name}:${state}`,
        }),
    };
}

/*
 * What stands in Redis under which name. Everything of a run has its id in braces, so that a cluster keeps it together and an
 * access list can name it.
 */

const ROOT = 'resume-run';

/** Hash: name of a run -> `RunInfo`. */
export const RUNS_KEY = `${ROOT}:runs`;

/** Hash: worker id -> `WorkerInfo`. */
export const WORKERS_KEY = `${ROOT}:workers`;

/** Name of the queue of tasks that any worker of a run can do; those that need a toolchain have other ones, see task-queues.ts. */
export const QUEUE_NAME = 'tasks';

/** The keys of one run. */
export interface RunKeys {
    /** BullMQ's own keys start with it. */
    readonly prefix: string;
    /** Hash: name of a queue -> the languages that its tasks need, as JSON. */
    readonly queues: string;
    /** List: what running tasks ask of the coordinator. */
    readonly calls: string;
    /** List: lines of log of running tasks; bounded. */
    readonly logs: string;
    /** Channel: ids of jobs to abort. */
    readonly aborts: string;
    /** String: which process coordinates the run; expires unless that renews it. */
    readonly coordinator: string;
    /** List: the coordinator's answers to one worker. */
    replies(worker: string): string;
    /** String: an answer that is too long for its job. @param name differs with each try */
    answer(name: string): string;
    /** String: a piece of a file of output. @param name of the answer that names the file */
    output(name: string, sha256: string, piece: number): string;
    /** String: a file of a sample, by the SHA-256 of its bytes. */
    file(sha256: string): string;
    /** What BullMQ has of one queue. */
    queue(name: string): QueueKeys;
}

/** The keys of one queue. */
export interface QueueKeys {
    /** Hash: a job. */
    job(id: string): string;
    /** String: the token of the worker that has a job; expires unless that renews it. */
    lock(id: string): string;
    /** Ids of jobs by state, and notes of BullMQ's own. */
    state(state: (typeof STATES)[number] | 'stalled-check'): string;
}

/** The last parts of the keys that BullMQ has for a queue like ours, beside those of jobs and those that expire by themselves. */
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

/** @param run its name, see `nameRun` */
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

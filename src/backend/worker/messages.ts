/*
 * Messages between a backend and its workers. Both sides import them from here.
 */
import type { ExecutorDescriptor } from '../../model/executor-descriptor.js';
import type { JsonObject } from '../../model/json.js';
import type { Served, Task, TaskLog, TaskStep } from '../../model/task.js';

/** The start-up data of a thread. */
export interface ThreadData {
    readonly descriptor: ExecutorDescriptor;
    /** Name of the channel between the main thread and all threads of a pool. */
    readonly channel: string;
}

/** One task on its way to a worker. */
export interface Job {
    readonly key: string;
    readonly task: Task;
}

/** Jobs as sent to a thread: as JSON if that is lossless, since a structured clone takes several times as long. */
export type PackedJobs = string | readonly Job[];

export function packJobs(jobs: readonly Job[]): PackedJobs {
    return jobs.every(isJson) ? JSON.stringify(jobs) : jobs;
}

export const unpackJobs = (packed: PackedJobs): readonly Job[] =>
    typeof packed === 'string' ? (JSON.parse(packed) as readonly Job[]) : packed;

/**
 * Sources of programs may be bytes. Data with numbers that JSON would change comes with a text; cells and saved steps may contain
 * such numbers too.
 */
const isJson = ({ task: { input, steps, confirmed } }: Job): boolean =>
    input.kind === 'data' &&
    input.text === undefined &&
    input.cell === undefined &&
    steps === undefined &&
    confirmed.length === 0;

/** A finished task, sent back to the main process. */
export interface JobDone {
    readonly key: string;
    readonly served: Served;
}

/** A thread's answer to a batch: the tasks that it has not reported early. */
export interface BatchDone {
    readonly done: readonly JobDone[];
    readonly threadId: number;
}

/** A log line, sent back to the main process. */
export interface LogLine {
    readonly type: 'log';
    readonly line: TaskLog;
}

/** A request of a running task to the main process; the reply has the same number. */
export interface TaskCall {
    readonly type: 'call';
    /** Key of the task's job. */
    readonly key: string;
    /** Unique among the calls of a backend. */
    readonly call: string;
    readonly request:
        | ({ readonly do: 'save-step' } & TaskStep)
        /** For the executor's part in the main process. */
        | { readonly do: 'ask'; readonly request: JsonObject };
}

/** The reply to a call: its value, or why it failed. */
export interface CallReply {
    readonly type: 'reply';
    readonly call: string;
    readonly value: JsonObject | null;
    readonly problem: string | null;
}

/**
 * Messages on the channel. Main thread -> threads: `abort`. Threads -> main thread: `ready`, when all modules are loaded;
 * `early`, results of a batch that continues; and `log`.
 */
export type ChannelMessage =
    | { readonly type: 'ready'; readonly threadId: number }
    | { readonly type: 'abort'; readonly key: string }
    | ({ readonly type: 'early' } & BatchDone)
    | LogLine
    | TaskCall
    | CallReply;

/** A job that waits for its turn in a process; numbers increase with each job sent to the process. */
export interface NumberedJob extends Job {
    readonly number: number;
}

/** Main process -> forked worker. */
export type ToProcess =
    | { readonly type: 'start'; readonly descriptor: ExecutorDescriptor }
    /** Begins at once, regardless of other jobs. */
    | ({ readonly type: 'run' } & Job)
    /** Run one after the other, except for jobs refused by then: see gate.ts. */
    | { readonly type: 'run-in-turn'; readonly jobs: readonly NumberedJob[] }
    | { readonly type: 'abort'; readonly key: string }
    | CallReply;

/** Forked worker -> main process. */
export type FromProcess =
    | { readonly type: 'done'; readonly done: readonly JobDone[] }
    /** A job was not begun, because it no longer may. */
    | { readonly type: 'refused'; readonly key: string }
    | LogLine
    | TaskCall;

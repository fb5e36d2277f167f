/*
 * What passes between a backend and its workers. Both sides import it from here.
 */
import type { ExecutorDescriptor } from '../../model/executor-descriptor.js';
import type { JsonObject } from '../../model/json.js';
import type { Served, Task, TaskLog, TaskStep } from '../../model/task.js';

/** What a thread is started with. */
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

/** Jobs as they travel to a thread: as JSON where that says all of them, since a structured clone takes several times as long. */
export type PackedJobs = string | readonly Job[];

export function packJobs(jobs: readonly Job[]): PackedJobs {
    return jobs.every(isJson) ? JSON.stringify(jobs) : jobs;
}

export const unpackJobs = (packed: PackedJobs): readonly Job[] =>
    typeof packed === 'string' ? (JSON.parse(packed) as readonly Job[]) : packed;

/** Sources of programs may be bytes; data whose numbers JSON would change comes with a text, and cells and saved steps may hold such numbers. */
const isJson = ({ task: { input, steps, confirmed } }: Job): boolean =>
    input.kind === 'data' &&
    input.text === undefined &&
    input.cell === undefined &&
    steps === undefined &&
    confirmed.length === 0;

/** A finished task on its way back. */
export interface JobDone {
    readonly key: string;
    readonly served: Served;
}

/** A thread's answer to a batch: the tasks it has not told of early. */
export interface BatchDone {
    readonly done: readonly JobDone[];
    readonly threadId: number;
}

/** A line of log on its way back. */
export interface LogLine {
    readonly type: 'log';
    readonly line: TaskLog;
}

/**
 * A running task asks the main process for something and waits for the answer of the same number.
 */
export interface TaskCall {
    readonly type: 'call';
    /** Of the task's job. */
    readonly key: string;
    /** Unique among the calls of a backend. */
    readonly call: string;
    readonly request:
        | ({ readonly do: 'save-step' } & TaskStep)
        /** For the executor's part in the main process. */
        | { readonly do: 'ask'; readonly request: JsonObject };
}

/** The answer to a call: what it gave, or why it came to nothing. */
export interface CallReply {
    readonly type: 'reply';
    readonly call: string;
    readonly value: JsonObject | null;
    readonly problem: string | null;
}

/**
 * On the channel. Main thread -> threads: `abort`. Threads -> main thread: `ready`, when all modules are loaded; `early`, results of a
 * batch that goes on; and `log`.
 */
export type ChannelMessage =
    | { readonly type: 'ready'; readonly threadId: number }
    | { readonly type: 'abort'; readonly key: string }
    | ({ readonly type: 'early' } & BatchDone)
    | LogLine
    | TaskCall
    | CallReply;

/** A job that waits for its turn in a process; numbers rise with each job that the process is sent. */
export interface NumberedJob extends Job {
    readonly number: number;
}

/** Main process -> forked worker. */
export type ToProcess =
    | { readonly type: 'start'; readonly descriptor: ExecutorDescriptor }
    /** Begins at once, whatever else runs. */
    | ({ readonly type: 'run' } & Job)
    /** One after the other, each only if it is not refused by then: see gate.ts. */
    | { readonly type: 'run-in-turn'; readonly jobs: readonly NumberedJob[] }
    | { readonly type: 'abort'; readonly key: string }
    | CallReply;

/** Forked worker -> main process. */
export type FromProcess =
    | { readonly type: 'done'; readonly done: readonly JobDone[] }
    /** A job was not begun: it may not be any more. */
    | { readonly type: 'refused'; readonly key: string }
    | LogLine
    | TaskCall;

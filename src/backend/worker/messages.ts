/*
 * What passes between a backend and its workers. Both sides import it from here.
 */
import type { ExecutorDescriptor } from '../../model/executor-descriptor.js';
import type { Served, Task, TaskLog } from '../../model/task.js';

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

/** On the channel. Main thread -> threads: `abort`. Threads -> main thread: `early`, results of a batch that goes on, and `log`. */
export type ChannelMessage =
    | { readonly type: 'abort'; readonly key: string }
    | ({ readonly type: 'early' } & BatchDone)
    | LogLine;

/** Main process -> forked worker. */
export type ToProcess =
    | { readonly type: 'start'; readonly descriptor: ExecutorDescriptor }
    | ({ readonly type: 'run' } & Job)
    | { readonly type: 'abort'; readonly key: string };

/** Forked worker -> main process. */
export type FromProcess = ({ readonly type: 'done' } & JobDone) | LogLine;

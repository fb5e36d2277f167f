import type { Served, Task } from '../../model/task.js';
import type { Completion, Running } from '../backend.js';
import type { RunningJob } from './running-job.js';
import type { TaskPool } from './task-pools.js';

/** A task handled by a worker. */
export interface WorkerFlight {
    /** The task's name in Redis. */
    readonly name: string;
    readonly job: RunningJob;
    /** Null until the task runs. */
    pool: TaskPool | null;
    running: Running | null;
    /** Whether to give it back if it has not begun. */
    isWithdrawn: boolean;
    /** Aborted as soon as `ended` is set. */
    readonly ending: AbortController;
    /** Why its process was ended: the coordinator does not want it, its lock was lost, or this worker drains. */
    ended: 'unwanted' | 'lock lost' | 'given back' | null;
}

/** Machines may have different toolchains, so record which one produced this verdict. */
export function nameToolchain(
    { toolchains }: TaskPool,
    { input }: Task,
    outcome: Served['outcome'],
): Served['outcome'] {
    const version = input.kind === 'program' ? toolchains?.[input.language] : undefined;
    if (outcome.kind !== 'verdict' || input.kind !== 'program' || version === undefined) return outcome;
    return { ...outcome, by: { ...outcome.by, toolchain: `${input.language} ${version}` } };
}

/** @param patience seconds; null: no limit */
export async function withPatience(running: Running, patience: number | null): Promise<Completion> {
    if (patience === null) return running.completion;
    let isHung = false;
    const timer = setTimeout(() => {
        isHung = true;
        running.abort();
    }, patience * 1000);
    const completion = await running.completion.finally(() => clearTimeout(timer));
    if (!isHung || completion.outcome.kind === 'verdict') return completion;
    const message = `the worker did not answer for ${Math.round(patience)} s and was stopped`;
    const failure = { reason: 'no-answer', message, after: patience } as const;
    return { ...completion, outcome: { kind: 'failure', failure, by: null } };
}

/** Gives a task back if it has not begun. */
export function withdraw(flight: WorkerFlight): void {
    flight.isWithdrawn = true;
    flight.running?.withdraw?.();
}

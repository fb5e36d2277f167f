import { createHash } from 'node:crypto';
import type { CheckerProgram } from '../../model/sample.js';
import type { Task } from '../../model/task.js';
import { type Completion, makeUnservedCompletion, type TaskHost } from '../backend.js';
import { LARGEST_TASK, type RunOrigin } from './messages.js';
import type { TaskQueue } from './task-queues.js';

/** A task in the hands of the queue. */
export interface Flight {
    readonly job: string;
    /** Null until it is known what the task needs. */
    queue: TaskQueue | null;
    readonly task: Task;
    readonly host: TaskHost;
    readonly startedAt: number;
    readonly settle: (completion: Completion) => void;
    state: 'preparing' | 'in Redis' | 'settled';
    aborted: boolean;
    patience: NodeJS.Timeout | undefined;
    /** Keys beside its job: of a long answer, and of files of output. */
    kept: string[];
    /** Whether its answer is being read: files of output take a while. */
    isTaking: boolean;
    /** Whether its job is among the completed ones, so that it can be removed together with others. */
    isCompleted: boolean;
}

/**
 * Names what jobs are for: equal for the same task in every start, and different for everything that another answer may follow from.
 * Steps are left out: the job itself writes them.
 */
export function createIdentifier({ version, descriptor }: RunOrigin): (task: Task) => string {
    // Names of this start, which decide nothing, and who is asked: a result that is there stays when that changes.
    const names = { scratch: null, holder: null, dir: null, compileCache: null };
    const how = { ...descriptor, ...names, servers: null, endpoints: null, limits: null, endpointWait: null };
    const ofRun = createHash('sha256').update(JSON.stringify([version, how]));
    return ({ attempt: _attempt, stage: _stage, traceparent: _traceparent, steps: _steps, ...what }) =>
        ofRun.copy().update(JSON.stringify(what)).digest('hex').slice(0, 40);
}

/**
 * What a worker must have for a task.
 * @param programs of the task's sample, such as its checker
 */
export function listLanguages(
    { input }: Task,
    programs: readonly CheckerProgram[],
    {
        runsPrograms,
        languageOf,
    }: { readonly runsPrograms: boolean; readonly languageOf: (program: CheckerProgram) => string | null },
): string[] {
    const own = input.kind === 'program' && runsPrograms ? [input.language] : [];
    const others = programs.flatMap((program) => languageOf(program) ?? []);
    return [...new Set([...own, ...others])].sort();
}

/** A worker's disk is not ours: what it cannot write there ends an attempt, not the run. */
export function localize(outcome: Completion['outcome']): Completion['outcome'] {
    if (outcome.kind !== 'unwritable') return outcome;
    const message = `a worker could not write ${outcome.file}: ${outcome.why}`;
    return { kind: 'failure', failure: { reason: 'sandbox', message }, by: null };
}

export function diedCompletion(
    flight: Flight,
    message: string,
    more: { readonly retry?: false } = {},
): Completion {
    const failure = { reason: 'worker-died', message, ...more } as const;
    return makeUnservedCompletion({ kind: 'failure', failure, by: null }, 'queue', flight.startedAt);
}

export const describeLargeTask = (length: number): string =>
    `the task is larger than a queue takes (${length} characters, at most ${LARGEST_TASK}): run it without --mode queue`;

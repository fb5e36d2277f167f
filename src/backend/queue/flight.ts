import { createHash } from 'node:crypto';
import type { ProblemProgram } from '../../model/problem-programs.js';
import type { Task } from '../../model/task.js';
import { type Completion, makeUnservedCompletion, type TaskHost } from '../backend.js';
import { LARGEST_TASK, type RunOrigin } from './messages.js';
import type { JobNews } from './scripts.js';
import type { TaskQueue } from './task-queues.js';

/** A task in the hands of the queue. */
export interface Flight {
    /** Its name in Redis: what it is for, and the number of the attempt. */
    readonly name: string;
    readonly task: Task;
    readonly host: TaskHost;
    readonly startedAt: number;
    /** Whether an earlier coordinator put it into Redis: it may have begun before `startedAt`. */
    readonly isClaimed: boolean;
    readonly settle: (completion: Completion) => void;
    /** Null until it is known what the task needs. */
    queue: TaskQueue | null;
    /** Null until it is on its way to Redis. */
    job: TaskJob | null;
    /** Whether it shares its job with no other task: an earlier job with it did not come to its end. */
    isAlone: boolean;
    state: 'preparing' | 'in Redis' | 'settled';
    aborted: boolean;
    patience: NodeJS.Timeout | undefined;
    /** Keys beside its job: of a long answer, and of files of output. */
    kept: string[];
}

/** A job in Redis, and what this coordinator waits for of it. */
export interface TaskJob {
    readonly id: string;
    readonly queue: TaskQueue;
    /** Its tasks that have not been released. */
    readonly flights: Set<Flight>;
    /** Keys beside it: of a long answer, and those of its tasks that have been released. */
    kept: string[];
    /** Whether it is among the completed ones, so that it can be removed together with others. */
    isCompleted: boolean;
    /** Whether what it came to is being read: files of output take a while. */
    isTaking: boolean;
    /** What was heard of it meanwhile. */
    next: JobNews | null;
}

/** What answers depend on, beside their task. */
function describeVariant({ version, descriptor }: Pick<RunOrigin, 'version' | 'descriptor'>): string {
    // Names of this start, which decide nothing, and who is asked and for how much: a result that is there stays when that changes.
    const names = { scratch: null, holder: null, dir: null, compileCache: null };
    const asked = { servers: null, endpoints: null, limits: null, endpointWait: null, budget: null };
    return JSON.stringify([version, { ...descriptor, ...names, ...asked }]);
}

/**
 * A run's name in Redis. A start with options that lead to other answers has another one: its tasks never meet workers that still do what
 * the start before it wanted, nor what those have finished.
 * @param id of the run
 */
export function nameRun(id: string, made: Pick<RunOrigin, 'version' | 'descriptor'>): string {
    return `${id}-${createHash('sha256').update(describeVariant(made)).digest('hex').slice(0, 12)}`;
}

/**
 * Names what jobs are for: equal for the same task in every start, and different for everything that another answer may follow from.
 * Steps are left out: the job itself writes them.
 */
export function createIdentifier(made: RunOrigin): (task: Task) => string {
    const ofRun = createHash('sha256').update(describeVariant(made));
    return ({ attempt: _attempt, stage: _stage, traceparent: _traceparent, steps: _steps, ...what }) =>
        ofRun.copy().update(JSON.stringify(what)).digest('hex').slice(0, 40);
}

/**
 * What a worker must have for a task.
 * @param programs of the task's sample, such as its checker
 */
export function listLanguages(
    { input }: Task,
    programs: readonly ProblemProgram['program'][],
    {
        runsPrograms,
        languageOf,
    }: {
        readonly runsPrograms: boolean;
        readonly languageOf: (program: ProblemProgram['program']) => string | null;
    },
): string[] {
    const own = input.kind === 'program' && runsPrograms ? [input.language] : [];
    const others = programs.flatMap((program) => languageOf(program) ?? []);
    return [...new Set([...own, ...others])].sort();
}

/**
 * When a task began, which is not before it was handed out, nor after its answer came: `--rerun` compares it with the time of the request.
 * @param startedAt as the worker says, by this machine's clock
 */
export function boundStart(startedAt: number, flight: Flight): number {
    const earliest = flight.isClaimed ? startedAt : Math.max(startedAt, flight.startedAt);
    return Math.min(earliest, Date.now());
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

export const abortedCompletion = ({ startedAt }: Flight): Completion =>
    makeUnservedCompletion({ kind: 'abort' }, 'queue', startedAt);

export const describeLargeTask = (length: number): string =>
    `the task is larger than a queue takes (${length} characters, at most ${LARGEST_TASK}): run it without --mode queue`;

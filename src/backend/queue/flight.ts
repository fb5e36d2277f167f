import { createHash } from 'node:crypto';
import type { ProblemProgram } from '../../model/problem-programs.js';
import type { Task } from '../../model/task.js';
import { type Completion, makeUnservedCompletion, type TaskHost } from '../backend.js';
import { MAX_TASK_BYTES, type RunOrigin } from './messages.js';
import type { JobUpdate } from './scripts.js';
import type { TaskQueue } from './task-queues.js';

/** A task handed to the queue. */
export interface Flight {
    /** The task's name in Redis: its identity and the number of the attempt. */
    readonly name: string;
    readonly task: Task;
    readonly host: TaskHost;
    readonly startedAt: number;
    /** Whether an earlier coordinator put it into Redis, so that it may have begun before `startedAt`. */
    readonly isClaimed: boolean;
    readonly settle: (completion: Completion) => void;
    /** Null until the needs of the task are known. */
    queue: TaskQueue | null;
    /** Null until it is sent to Redis. */
    job: TaskJob | null;
    /** Whether it must not share a job with other tasks, because an earlier job with it did not complete. */
    isAlone: boolean;
    state: 'preparing' | 'in Redis' | 'settled';
    aborted: boolean;
    patience: NodeJS.Timeout | undefined;
    /** Keys stored besides its job: of a long answer, and of output files. */
    kept: string[];
}

/** A job in Redis, as this coordinator tracks it. */
export interface TaskJob {
    readonly id: string;
    readonly queue: TaskQueue;
    /** Its tasks that have not been released. */
    readonly flights: Set<Flight>;
    /** Keys stored besides it: of a long answer, and of its released tasks. */
    kept: string[];
    /** Whether it is known to be completed, so that it can be removed together with others. */
    isCompleted: boolean;
    /** Whether its results are being read: output files take a while. */
    isTaking: boolean;
    /** News of it that arrived meanwhile. */
    next: JobUpdate | null;
}

/** Everything that answers depend on besides their task. */
function describeVariant({ version, descriptor }: Pick<RunOrigin, 'version' | 'descriptor'>): string {
    // Leave out names of this start, which do not affect answers, and which servers are asked and under which limits: existing
    // results stay valid if those change.
    const names = { scratch: null, holder: null, dir: null, compileCache: null };
    const asked = { servers: null, endpoints: null, limits: null, endpointWait: null, budget: null };
    return JSON.stringify([version, { ...descriptor, ...names, ...asked }]);
}

/**
 * A run's name in Redis. A start whose options lead to other answers gets another name, so that its tasks never meet workers, or
 * finished results, of the start before it.
 * @param id id of the run
 */
export function nameRun(id: string, made: Pick<RunOrigin, 'version' | 'descriptor'>): string {
    return `${id}-${createHash('sha256').update(describeVariant(made)).digest('hex').slice(0, 12)}`;
}

/**
 * Returns a function that identifies tasks: equal for the same task in every start, and different for everything that may change
 * the answer. Steps are left out, because the job itself writes them.
 */
export function createIdentifier(made: RunOrigin): (task: Task) => string {
    const ofRun = createHash('sha256').update(describeVariant(made));
    return ({ attempt: _attempt, stage: _stage, traceparent: _traceparent, steps: _steps, ...what }) =>
        ofRun.copy().update(JSON.stringify(what)).digest('hex').slice(0, 40);
}

/**
 * The languages that a worker must have for a task.
 * @param programs programs of the task's sample, such as its checker
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
 * When a task began, bounded by when it was handed out and when its answer arrived: `--rerun` compares it with the time of the
 * request.
 * @param startedAt as reported by the worker, converted to this machine's clock
 */
export function boundStart(startedAt: number, flight: Flight): number {
    const earliest = flight.isClaimed ? startedAt : Math.max(startedAt, flight.startedAt);
    return Math.min(earliest, Date.now());
}

/** A write error on a worker's disk fails the attempt, not the run. */
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
    `the task exceeds the size limit of a queue (${length} characters, limit ${MAX_TASK_BYTES}): run it without --mode queue`;

import type { SampleWriter } from '../checkpoint/store.js';
import type { Attempt, Entry, JudgeResult, OpenTask, RunResult, TestResult } from '../model/entry.js';
import { parseExactJson, withNumbersAsText } from '../model/exact-json.js';
import type { JsonObject } from '../model/json.js';
import type { Failure } from '../model/failure.js';
import type { Limits } from '../model/limits.js';
import type { TaskInput } from '../model/sample.js';
import type { AttemptedBy, Suspicion, Task, VerdictOutcome } from '../model/task.js';
import { formatTime } from '../util/now.js';
import type { Writable } from '../util/writable.js';
import { makeOccurrenceKey } from '../plan/plan-sample.js';
import type { DueTask } from '../plan/sample-plan.js';
import { getSourceText } from './prepare.js';
import { isConfirmed, type RetryPolicy, type Tried } from './retry.js';

/** The open sample that a task belongs to. */
export interface SampleInWork {
    readonly id: string;
    readonly writer: SampleWriter;
    /** Folder of its staged tests; null if no programs are judged. */
    readonly stagePath: string | null;
    /** Records that one of its tasks has ended for good. Returns true if it was the last of this phase. */
    ended(): boolean;
}

/** State of a due task until it has a verdict: what was tried so far. Changed only by the run loop. */
export interface TaskState {
    readonly due: DueTask;
    readonly sample: SampleInWork;
    readonly limits: Limits | null;
    /** All attempts that still count, including those of earlier starts. */
    attempts: readonly Attempt[];
    tried: Tried;
    /** Tests that need not run again, and why the next test is in doubt. */
    confirmed: readonly TestResult[];
    confirming: Suspicion | null;
    /** Saved steps of a task that takes several, by name. */
    steps: JsonObject;
}

export function makeTaskState(due: DueTask, sample: SampleInWork, limits: Limits | null): TaskState {
    const tests = due.open?.tests;
    const pending = tests !== undefined;
    const confirming = pending ? describeSuspicion(due.open?.reason) : null;
    return {
        due,
        sample,
        limits,
        attempts: due.open?.attempts ?? [],
        tried: { failures: 0, confirmations: confirming === null ? {} : { [confirming]: 1 } },
        confirmed: pending ? tests.slice(0, -1) : [],
        confirming,
        steps: due.open?.steps ?? {},
    };
}

const SUSPICIONS: readonly Suspicion[] = [
    'near-time',
    'signal',
    'no-output',
    'machine',
    'compile-limit',
    'first-timeout',
];

const describeSuspicion = (reason: string | undefined): Suspicion =>
    SUSPICIONS.find((suspicion) => suspicion === reason) ?? 'near-time';

/** Builds the plain data that is sent to a worker. */
export function buildTask(state: TaskState, policy: RetryPolicy): Task {
    const { due, sample } = state;
    return {
        sample: sample.id,
        group: due.group,
        index: due.index,
        fingerprint: due.fingerprint,
        input: due.input,
        limits: state.limits,
        stage: sample.stagePath,
        attempt: state.attempts.length + 1,
        confirmed: state.confirmed,
        confirming: state.confirming,
        settles: state.confirming === null || isConfirmed(state.tried, state.confirming, policy),
        ...(hasSteps(state) ? { steps: state.steps } : {}),
    };
}

/** Measurements that are recorded for an attempt. */
export interface AttemptMeasure {
    readonly startedAt: number;
    readonly duration: number;
    readonly workerId: string;
}

export function recordAttempt(
    state: TaskState,
    measure: AttemptMeasure,
    by: AttemptedBy | null,
    ended:
        | { readonly verdict: VerdictOutcome['verdict'] }
        | { readonly failure: Failure; readonly run: RunResult | null },
): Attempt {
    const attempt = state.attempts.length + 1;
    const measured = {
        started_at: formatTime(measure.startedAt),
        duration: Math.round(measure.duration * 1e6) / 1e6,
        api_used: by?.api_used ?? 'local',
        worker_id: measure.workerId,
    };
    const told =
        'verdict' in ended
            ? { attempt, verdict: ended.verdict, ...measured }
            : {
                  attempt,
                  failure: ended.failure.reason,
                  message: cut(ended.failure.message),
                  ...(ended.run === null ? {} : { run_result: ended.run }),
                  ...measured,
              };
    if (by?.sandbox === undefined && by?.toolchain === undefined && by?.cgroup === undefined) return told;
    return {
        ...told,
        ...(by.sandbox === undefined ? {} : { sandbox: by.sandbox }),
        ...(by.cgroup === undefined ? {} : { cgroup: by.cgroup }),
        ...(by.toolchain === undefined ? {} : { toolchain: by.toolchain }),
    };
}

/** Maximum length of a stored failure message, in characters: a checkpoint is not a log. */
const MESSAGE_BOUND = 2000;

const cut = (message: string): string =>
    message.length <= MESSAGE_BOUND ? message : `${message.slice(0, MESSAGE_BOUND)}…`;

/** Builds the stored form of a finished task. */
export function buildEntry(
    state: TaskState,
    outcome: VerdictOutcome,
    attempts: readonly Attempt[],
    keepSource: boolean,
): Entry {
    const { input } = state.due;
    const limits = outcome.limits ?? state.limits;
    const program = input.kind === 'program' ? input : null;
    const source = program !== null && keepSource ? getSourceText(input) : null;
    // Set fields one by one: no other object is created as often, and spreading an empty object costs as much as a full one.
    const entry: Writable<Entry> = {
        index: state.due.index,
        result: outcome.result,
        attempts,
        fingerprint: state.due.fingerprint,
    };
    if (limits !== null) entry.limits = limits;
    if (state.due.occurrence > 0) entry.occurrence = state.due.occurrence;
    if (program === null) {
        if (input.kind !== 'data') return entry;
        if (input.cell !== undefined) entry.cell = input.cell;
        return keepSource && input.isRow === true ? { ...entry, ...makeRowKey(input) } : entry;
    }
    entry.language = program.language;
    if (source !== null) entry.solution = source;
    if (program.name != null) entry.name = program.name;
    if (program.expected != null) entry.expected = program.expected;
    if (program.expectedScores !== undefined) entry.expected_scores = program.expectedScores;
    return entry;
}

/** The row of a list, so that a result need not be looked up by its position. */
export function makeRowKey(input: TaskInput): Pick<Entry, 'row' | 'row_text'> {
    if (input.kind !== 'data' || input.isRow !== true) return {};
    const { data, text } = input;
    return text === undefined
        ? { row: data }
        : { row: withNumbersAsText(parseExactJson(text)), row_text: text };
}

/** Kept even with `--no-keep-source`, because records need it. */
export function makeCellKey(input: TaskInput): Pick<Entry, 'cell'> {
    return input.kind === 'data' && input.cell !== undefined ? { cell: input.cell } : {};
}

/** Builds the `failures` entry of a task that was given up. */
export function toFailedTask(state: TaskState, failure: Failure, attempts: readonly Attempt[]): OpenTask {
    return openTask(state, failure.reason, cut(failure.message), attempts);
}

/** Builds the `pending` entry of a verdict that waits to be confirmed. */
export function toPendingTask(
    state: TaskState,
    suspicion: Suspicion,
    outcome: VerdictOutcome,
    attempts: readonly Attempt[],
): OpenTask {
    const message = `${outcome.verdict} on the first try, not confirmed yet`;
    return { ...openTask(state, suspicion, message, attempts), tests: getTests(outcome) };
}

/** Builds the `pending` entry of a task between two steps. @param last the step that has just ended */
export function toSteppedTask(state: TaskState, last: string): OpenTask {
    return openTask(state, STEPPED, `step ${last} is done, later steps are not`, state.attempts);
}

/** `reason` of a pending task of which some steps are done. */
const STEPPED = 'in-progress';

const hasSteps = ({ steps }: TaskState): boolean => Object.keys(steps).length > 0;

export function getTests(outcome: VerdictOutcome): readonly TestResult[] {
    return (outcome.result as JudgeResult).tests ?? [];
}

function openTask(state: TaskState, reason: string, message: string, attempts: readonly Attempt[]): OpenTask {
    const { group, index, fingerprint, occurrence, input } = state.due;
    return {
        group,
        index,
        fingerprint,
        reason,
        message,
        attempts,
        ...makeCellKey(input),
        ...(hasSteps(state) ? { steps: state.steps } : {}),
        ...makeOccurrenceKey(occurrence),
    };
}

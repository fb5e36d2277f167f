import type { Completion } from '../backend/backend.js';
import type { RunResult } from '../model/entry.js';
import type { RunEvent, TaskEvent } from '../model/event.js';
import { isUnexpected } from '../model/expectation.js';
import type { Failure } from '../model/failure.js';
import type { TaskInput } from '../model/sample.js';
import { type ExpectedScore, findMissedScore } from '../model/scoring.js';
import type { AttemptedBy, Suspicion, TaskStep, VerdictOutcome } from '../model/task.js';
import { now } from '../util/now.js';
import type { Figures } from './figures.js';
import { confirmOnceMore } from './retry.js';
import {
    recordAttempt,
    buildEntry,
    toFailedTask,
    toPendingTask,
    toSteppedTask,
    type TaskState,
    getTests,
} from './task-state.js';

/** Writes the outcome of each attempt to the result file, then emits the event. */
export class Recorder {
    readonly #keepSource: boolean;
    readonly #figures: Figures;
    readonly #emit: (event: RunEvent) => void;

    constructor(keepSource: boolean, figures: Figures, emit: (event: RunEvent) => void) {
        this.#keepSource = keepSource;
        this.#figures = figures;
        this.#emit = emit;
    }

    started(state: TaskState): void {
        this.#emit({ type: 'task-started', ...makeTaskEvent(state, '') });
    }

    /** The attempt is over; the event of its end follows when that is on disk. */
    saving(state: TaskState, { workerId }: Completion): void {
        this.#emit({ type: 'task-saving', ...makeTaskEvent(state, workerId) });
    }

    async commit(state: TaskState, outcome: VerdictOutcome, completion: Completion): Promise<void> {
        const attempt = recordAttempt(state, completion, outcome.by, { verdict: outcome.verdict });
        const event = makeTaskEvent(state, completion.workerId);
        const entry = buildEntry(state, outcome, [...state.attempts, attempt], this.#keepSource);
        const { group, input } = state.due;
        const by = { apiUsed: outcome.by.api_used, workerId: completion.workerId };
        await state.sample.writer.commit(group, entry, by);
        this.#figures.commit(outcome.result);
        this.#emit({
            type: 'task-finished',
            ...event,
            verdict: outcome.verdict,
            accepted: outcome.result['accepted'] === true,
            unexpected: isUnexpected({
                group,
                verdict: outcome.verdict,
                named: input.kind === 'program' ? input.expected : null,
                missedScore: missedScoreOf(input, outcome),
            }),
            nearLimit: 'near_limit' in outcome.result && outcome.result.near_limit === true,
            by: attempt,
            result: outcome.result,
        });
    }

    async giveUp(state: TaskState, failure: Failure, completion: Completion): Promise<void> {
        const attempt = recordAttempt(state, completion, findWorker(completion), {
            failure,
            run: getRunResult(completion),
        });
        const event = makeTaskEvent(state, completion.workerId);
        await state.sample.writer.note(
            'failures',
            toFailedTask(state, failure, [...state.attempts, attempt]),
        );
        this.#figures.failed += 1;
        this.#emit({ type: 'task-failed', ...event, failure, by: attempt });
    }

    /** A verdict in doubt is kept as `pending`; the next attempt starts with the doubtful test. */
    async confirm(
        state: TaskState,
        doubt: { readonly outcome: VerdictOutcome; readonly suspicion: Suspicion },
        completion: Completion,
    ): Promise<void> {
        const { outcome, suspicion } = doubt;
        const attempt = recordAttempt(state, completion, outcome.by, { verdict: outcome.verdict });
        const because = { suspicion, verdict: outcome.verdict };
        this.#emit({
            type: 'task-retried',
            ...makeTaskEvent(state, completion.workerId),
            because,
            by: attempt,
        });
        state.attempts = [...state.attempts, attempt];
        state.tried = confirmOnceMore(state.tried, suspicion);
        state.confirmed = getTests(outcome).slice(0, -1);
        state.confirming = suspicion;
        await state.sample.writer.note('pending', toPendingTask(state, suspicion, outcome, state.attempts));
    }

    /** Saves the step under `pending`, so that a later attempt continues after it. */
    async saveStep(state: TaskState, { name, value }: TaskStep): Promise<void> {
        state.steps = { ...state.steps, [name]: value };
        await state.sample.writer.note('pending', toSteppedTask(state, name));
    }

    retry(state: TaskState, failure: Failure, completion: Completion): void {
        const attempt = recordAttempt(state, completion, findWorker(completion), {
            failure,
            run: getRunResult(completion),
        });
        const because = { failure };
        this.#emit({
            type: 'task-retried',
            ...makeTaskEvent(state, completion.workerId),
            because,
            by: attempt,
        });
        state.attempts = [...state.attempts, attempt];
        state.tried = { ...state.tried, failures: state.tried.failures + 1 };
    }
}

function makeTaskEvent(state: TaskState, workerId: string): TaskEvent {
    const { group, index } = state.due;
    return { at: now(), sample: state.sample.id, group, index, attempt: state.attempts.length + 1, workerId };
}

/** Who made a failed attempt; null if its worker died and could not say. */
function findWorker(completion: Completion): AttemptedBy | null {
    return completion.outcome.kind === 'failure' ? completion.outcome.by : null;
}

/** What a command printed in a failed attempt; null if that is not kept. */
function getRunResult(completion: Completion): RunResult | null {
    return completion.outcome.kind === 'failure' ? (completion.outcome.run ?? null) : null;
}

function missedScoreOf(input: TaskInput, { result }: VerdictOutcome): ExpectedScore | null {
    return input.kind === 'program' ? findMissedScore(input.expectedScores, result) : null;
}

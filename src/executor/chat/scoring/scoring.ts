import type { Failure } from '../../../model/failure.js';
import type { JsonObject } from '../../../model/json.js';
import type { Scorer } from '../../../model/scorer.js';
import type { Task, VerdictOutcome } from '../../../model/task.js';
import type { ExecutorContext } from '../../executor.js';
import type { JudgeDescriptor } from '../../judge/judge-kind.js';

/*
 * Scoring: how good an answer is, from 0 to 1. Not in the fingerprints of tasks, so scoring another way asks no model again;
 * the score itself is kept with the fingerprint of what gave it.
 */

/** Name of the step that keeps an answer until it has its score. */
export const ANSWER_STEP = 'answer';

/** How answers are scored, as the options say it. */
export interface ScoringConfig {
    readonly scorer: Scorer;
    /** Template of the expected answer. */
    readonly expected: string;
    /** Template of what a model that judges is asked. */
    readonly judgePrompt: string;
    /** Longest answer of that model, in tokens; null: the service's own bound. */
    readonly judgeMaxTokens: number | null;
    /** Seconds of CPU time a test, where the row names none. */
    readonly codeTimeout: number;
}

export interface ScoringDescriptor extends ScoringConfig {
    /** Identifies the scorer with all that decides its scores: `score-v1-sha256-...`. */
    readonly fingerprint: string;
    /** What programs are judged by; null for scorers that run none. */
    readonly judge: JudgeDescriptor | null;
}

/** What scoring an answer came to. Only `scored` is a statement about the answer. */
export type Scored =
    /** `details` are fields of the result: `expected`, `score_reason`, `score_details`, `judge`. */
    | { readonly kind: 'scored'; readonly score: number; readonly details: JsonObject }
    /** What was needed for it broke, or what is expected cannot be compared with. */
    | { readonly kind: 'failed'; readonly failure: Failure }
    | { readonly kind: 'aborted' };

/** Scores answers in one way. */
export interface AnswerScorer {
    /** True where a score comes at once, without programs or requests: an answer need not be saved before. */
    readonly isQuick: boolean;
    /** Looks, before anything is paid for, whether answers to this task can be scored. @returns why not; null if they can */
    check(task: Task): Failure | null;
    /** Never rejects for what an answer, a model or a program does. */
    score(answer: string, task: Task, context: ExecutorContext): Promise<Scored>;
    close(): Promise<void>;
}

/** Fields of a result that scoring writes; scoring again replaces all of them. */
const SCORE_FIELDS: ReadonlySet<string> = new Set([
    'scorer',
    'scorer_fingerprint',
    'expected',
    'score',
    'score_problem',
    'score_reason',
    'score_details',
    'judge',
]);

/** The result without any score. */
export function withoutScore(result: JsonObject): JsonObject {
    return Object.fromEntries(Object.entries(result).filter(([name]) => !SCORE_FIELDS.has(name)));
}

/**
 * The answer in a result that is to be scored; null: none is. A refusal has no score, nor a conversation that did not come
 * to its end. An answer without any text is one: it scores as an empty text does.
 */
export function answerIn(result: JsonObject): string | null {
    const { answer, verdict } = result;
    const isUnfinished = typeof result['max_turns_errors'] === 'number' && result['max_turns_errors'] > 0;
    if (!('answer' in result) || verdict === 'Refused' || isUnfinished) return null;
    return typeof answer === 'string' ? answer : '';
}

/** The result with its score, which decides the verdict: only a score of 1 is accepted. */
export function withScore(
    result: JsonObject,
    scored: Extract<Scored, { readonly kind: 'scored' }>,
    { text, fingerprint }: { readonly text: string; readonly fingerprint: string },
): { readonly verdict: VerdictOutcome['verdict']; readonly result: JsonObject } {
    const accepted = scored.score === 1;
    const verdict = accepted ? 'Accepted' : 'WrongAnswer';
    const by = { scorer: text, scorer_fingerprint: fingerprint };
    const { score, details } = scored;
    return { verdict, result: { ...withoutScore(result), accepted, verdict, ...by, score, ...details } };
}

/** A failure that says why an answer cannot be scored. */
export const scoringFailure = (message: string): Failure => ({ reason: 'judge-error', message });

export const missingField = (field: string, option: string): Failure => ({
    reason: 'not-started',
    message: `the row has no field for {${field}} of ${option}`,
});

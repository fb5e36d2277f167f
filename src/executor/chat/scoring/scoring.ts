import type { Failure } from '../../../model/failure.js';
import type { JsonObject } from '../../../model/json.js';
import type { Scorer } from '../../../model/scorer.js';
import type { Task, VerdictOutcome } from '../../../model/task.js';
import type { ExecutorContext } from '../../executor.js';
import type { JudgeDescriptor } from '../../judge/judge-kind.js';

/*
 * Scoring: how good an answer is, from 0 to 1. It is not part of the fingerprints of tasks, so scoring differently does not query
 * a model again; the score is stored with the fingerprint of its scorer.
 */

/** Name of the step that stores an answer until it is scored. */
export const ANSWER_STEP = 'answer';

/** How answers are scored, as given by the options. */
export interface ScoringConfig {
    readonly scorer: Scorer;
    /** Template of the expected answer. */
    readonly expected: string;
    /** Template of the prompt for a judge model. */
    readonly judgePrompt: string;
    /** Most tokens of that model's answer; null: the service's own limit. */
    readonly judgeMaxTokens: number | null;
    /** Seconds of CPU time per test, if the row names none. */
    readonly codeTimeout: number;
}

export interface ScoringDescriptor extends ScoringConfig {
    /** Identifies the scorer and everything that affects its scores: `score-v1-sha256-...`. */
    readonly fingerprint: string;
    /** The judge for programs; null for scorers that run none. */
    readonly judge: JudgeDescriptor | null;
}

/** The result of scoring an answer. Only `scored` says something about the answer. */
export type Scored =
    /** `details` are fields of the result: `expected`, `score_reason`, `score_details`, `judge`. */
    | { readonly kind: 'scored'; readonly score: number; readonly details: JsonObject }
    /** Something needed for scoring failed, or the expected text cannot be compared with. */
    | { readonly kind: 'failed'; readonly failure: Failure }
    | { readonly kind: 'aborted' };

/** Scores answers by one method. */
export interface AnswerScorer {
    /** True if scoring is immediate, without programs or requests: the answer need not be saved first. */
    readonly isQuick: boolean;
    /** Checks, before anything is paid for, whether answers to this task can be scored. @returns why not; null if they can */
    check(task: Task): Failure | null;
    /** Never rejects because of an answer, a model or a program. */
    score(answer: string, task: Task, context: ExecutorContext): Promise<Scored>;
    close(): Promise<void>;
}

/** Fields of a result that scoring writes; scoring again replaces them all. */
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
 * The answer in a result that is to be scored; null: there is none. Refusals and unfinished conversations are not scored. An
 * answer without text is scored as an empty text.
 */
export function answerIn(result: JsonObject): string | null {
    const { answer, verdict } = result;
    const isUnfinished = typeof result['max_turns_errors'] === 'number' && result['max_turns_errors'] > 0;
    if (!('answer' in result) || verdict === 'Refused' || isUnfinished) return null;
    return typeof answer === 'string' ? answer : '';
}

/** The result with its score, which determines the verdict: only a score of 1 is accepted. */
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

/** A failure that explains why an answer cannot be scored. */
export const scoringFailure = (message: string): Failure => ({ reason: 'judge-error', message });

export const missingField = (field: string, option: string): Failure => ({
    reason: 'not-started',
    message: `the row has no field for {${field}} of ${option}`,
});

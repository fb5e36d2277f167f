import type { JsonObject } from './json.js';
import type { Verdict } from './verdict.js';

/** How far a task succeeded. */
export type SuccessLevel = 'full' | 'partial' | 'failure';

/** The earlier runners' names of the levels. */
const LEVELS: ReadonlyMap<unknown, SuccessLevel> = new Map([
    ['full', 'full'],
    ['full_success', 'full'],
    ['success', 'full'],
    ['partial', 'partial'],
    ['partial_success', 'partial'],
    ['failure', 'failure'],
    ['failed', 'failure'],
]);

/**
 * How far the task succeeded, according to its result. A named level decides; otherwise `partial_success` before `success`,
 * because the earlier runners set both for a partial success. Null: the result does not say.
 */
export function readSuccessLevel(result: JsonObject): SuccessLevel | null {
    const { success_level: level, execution_status: status } = result;
    const named = LEVELS.get(level === '' || typeof level !== 'string' ? status : level);
    if (named !== undefined) return named;
    if (result.partial_success === true) return 'partial';
    if (typeof result.success === 'boolean') return result.success ? 'full' : 'failure';
    return null;
}

/** How far a finished task succeeded: according to its result, else by its verdict and its score. */
export function findSuccessLevel(result: JsonObject, verdict: Verdict): SuccessLevel {
    return readSuccessLevel(result) ?? chooseSuccessLevel(result, verdict);
}

/** A program that is not accepted may still have scored: it passed a part of the tests. */
function chooseSuccessLevel(result: JsonObject, verdict: Verdict): SuccessLevel {
    if (isAccepted(result, verdict)) return 'full';
    if (verdict === 'PartiallyAccepted') return 'partial';
    const score = Array.isArray(result.tests) ? result.score : null;
    return typeof score === 'number' && score > 0 ? 'partial' : 'failure';
}

/** Whether a task's result is accepted: as the result states, else by its verdict. */
export const isAccepted = ({ accepted }: JsonObject, verdict: Verdict): boolean =>
    typeof accepted === 'boolean' ? accepted : verdict === 'Accepted';

/** The level that a verdict alone stands for. */
export const levelOfVerdict = (verdict: Verdict): SuccessLevel =>
    verdict === 'Accepted' ? 'full' : verdict === 'PartiallyAccepted' ? 'partial' : 'failure';

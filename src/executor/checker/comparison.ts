import type { GivenScore } from '../../model/scoring.js';
import type { Window } from './window.js';

/** The result of comparing an output with the expected one. */
export interface Comparison {
    readonly accepted: boolean;
    /** The first difference, in short for people: `token 17: expected 42, got 41`; null when accepted. */
    readonly message: string | null;
    /** The score that a validator gave; absent: none. */
    readonly score?: GivenScore;
    /** Set if the result is a score rather than right or wrong, which means nothing for a test without scores. */
    readonly needsScoring?: true;
}

export const ACCEPTED: Comparison = { accepted: true, message: null };

export function reject(message: string): Comparison {
    return { accepted: false, message };
}

/**
 * A comparison in progress. `step` advances as far as both windows allow: it returns the result, or null if it needs more bytes
 * of a side. It never needs more than `MAX_WHOLE_BYTES` bytes of a side at once, so a window may be far smaller than the file. The
 * same code serves bytes in memory (both windows are complete, and one step decides) and files of any size.
 */
export interface Comparer {
    step(output: Window, answer: Window): Comparison | null;
}

/**
 * Tokens and lines up to this many bytes are examined as a whole (as numbers, for example); longer ones are text, compared byte
 * by byte. The limit is the same in memory and in a stream, so both give the same result.
 */
export const MAX_WHOLE_BYTES = 64 * 1024;

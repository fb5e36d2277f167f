import type { GivenScore } from '../../model/scoring.js';
import type { Window } from './window.js';

/** What comparing an output with the expected one came to. */
export interface Comparison {
    readonly accepted: boolean;
    /** The first difference, for people and short: `token 17: expected 42, got 41`; null when accepted. */
    readonly message: string | null;
    /** The score that a validator gave; absent: none. */
    readonly score?: GivenScore;
    /** Set where a score stands in place of right or wrong: it says nothing of a test that has no scores. */
    readonly needsScoring?: true;
}

export const ACCEPTED: Comparison = { accepted: true, message: null };

export function reject(message: string): Comparison {
    return { accepted: false, message };
}

/**
 * One comparison under way. `step` goes as far as both windows allow: it returns the result, or null when it needs more
 * bytes of a side. It never needs more than `LONGEST_WHOLE` bytes of a side at once, so a window may be far smaller than
 * the file. The same code serves bytes in memory (both windows are whole, one step decides) and files of any size.
 */
export interface Comparer {
    step(output: Window, answer: Window): Comparison | null;
}

/**
 * Tokens and lines up to this many bytes are looked at as a whole (as numbers, say); longer ones are text, compared
 * byte by byte. The limit is the same in memory and in a stream, so both give the same result.
 */
export const LONGEST_WHOLE = 64 * 1024;

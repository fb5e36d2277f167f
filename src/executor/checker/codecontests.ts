import { LOWER, makeByteSet } from './bytes.js';
import { reject, type Comparer, type Comparison } from './comparison.js';
import { parseTesterNumber } from './number.js';
import { TokenComparer } from './tokens.js';
import type { Window } from './window.js';

/** C's white space without the form feed. */
const SPACES = makeByteSet([9, 10, 11, 13, 32]);
const PRECISION = 1e-5;

/**
 * The comparison of the tester published with code_contests: lower-cased tokens; two numbers, including integers, may differ by
 * less than 1e-5.
 *
 * The tester first compares all tokens as text, and only if some differ does it compare each pair as numbers: infinity and
 * not-a-number then equal nothing, not even themselves. So an output with such a token passes only if no other token differs
 * either.
 */
export class CodeContestsComparer implements Comparer {
    private someDiffer = false;
    private someUnequalToSelf = false;
    private readonly tokens = new TokenComparer({
        spaces: SPACES,
        fold: LOWER,
        cutAtNul: false,
        sameSpaces: false,
        asNumbers: (output, outputEnd, answer, answerEnd) => {
            this.someDiffer = true;
            const expected = parseTesterNumber(answer.bytes, answer.at, answerEnd);
            const got = parseTesterNumber(output.bytes, output.at, outputEnd);
            return expected !== null && got !== null && Math.abs(got.value - expected.value) < PRECISION;
        },
        onSame: (output, end) => {
            if (!this.someUnequalToSelf) this.someUnequalToSelf = isUnequalToSelf(output, end);
        },
    });

    step(output: Window, answer: Window): Comparison | null {
        const result = this.tokens.step(output, answer);
        if (result?.accepted === true && this.someDiffer && this.someUnequalToSelf) {
            return reject('infinity and not-a-number equal nothing if other numbers differ as text');
        }
        return result;
    }
}

function isUnequalToSelf(window: Window, end: number): boolean {
    if (!mayBeSpecial(window, end)) return false;
    const number = parseTesterNumber(window.bytes, window.at, end);
    return number !== null && !Number.isFinite(number.value);
}

/** A number can be non-finite only if it has an exponent, very many digits, or a letter `n`. */
function mayBeSpecial(window: Window, end: number): boolean {
    if (end - window.at >= 300) return true;
    for (let at = window.at; at < end; at += 1) {
        const byte = LOWER[window.bytes[at] ?? 0];
        if (byte === 101 || byte === 110) return true;
    }
    return false;
}

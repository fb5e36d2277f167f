import type { Comparer } from './comparison.js';
import { parseDecimal } from './number.js';
import { EXACT_TOKENS, TokenComparer } from './tokens.js';

/** Compares tokens; two decimal numbers may differ by `absolute`, or by `relative` times the expected one: either suffices. */
export function makeFloatComparer(absolute: number, relative: number | null): Comparer {
    return new TokenComparer({
        ...EXACT_TOKENS,
        asNumbers: (output, outputEnd, answer, answerEnd) => {
            const expected = parseDecimal(answer.bytes, answer.at, answerEnd);
            const got = parseDecimal(output.bytes, output.at, outputEnd);
            // Infinity (a number too large for a double) and not-a-number are not close to anything.
            if (!Number.isFinite(expected) || !Number.isFinite(got)) return false;
            const difference = Math.abs(expected - got);
            return (
                difference <= absolute || (relative !== null && difference <= relative * Math.abs(expected))
            );
        },
    });
}

import type { Comparer } from './comparison.js';
import { parseDecimal } from './number.js';
import { EXACT_TOKENS, TokenComparer } from './tokens.js';

const RELATIVE = 1e-5;
const ABSOLUTE = 1e-8;
const PLUS = 43;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;

/**
 * The comparison of the graders published with APPS and TACO for programs that read stdin: token by token, case-sensitive. Tokens
 * are equal if their text is, or if they are two numbers that numpy's `allclose` considers equal (they differ by at most 1e-8
 * plus 1e-5 of the expected one) or that are equal when rounded to three decimals.
 *
 * Sources: `run_test` in eval/testing_util.py of github.com/hendrycks/apps, `compare_std_results` in metrics/testing_util.py of
 * github.com/FlagOpen/TACO.
 *
 * Two of the graders' rules are omitted on purpose, because they let wrong answers pass: their last resort compares sets of lines
 * and words, so that any order and any number of repetitions is right, and two integers may differ (1000001 for 1000000). Here,
 * two integers are equal only if their values are, whatever their size.
 */
export function makeAppsComparer(): Comparer {
    return new TokenComparer({
        ...EXACT_TOKENS,
        asNumbers: (output, outputEnd, answer, answerEnd) => {
            const isInteger = isWhole(output.bytes, output.at, outputEnd);
            if (isInteger && isWhole(answer.bytes, answer.at, answerEnd)) {
                return (
                    integerIn(output.bytes, output.at, outputEnd) ===
                    integerIn(answer.bytes, answer.at, answerEnd)
                );
            }
            return isNear(
                parseDecimal(output.bytes, output.at, outputEnd),
                parseDecimal(answer.bytes, answer.at, answerEnd),
            );
        },
    });
}

/** Whether the bytes are digits, with an optional sign before them. */
function isWhole(bytes: Buffer, from: number, to: number): boolean {
    const first = bytes[from];
    const start = first === PLUS || first === MINUS ? from + 1 : from;
    for (let at = start; at < to; at += 1) {
        const byte = bytes[at] ?? 0;
        if (byte < ZERO || byte > NINE) return false;
    }
    return start < to;
}

/** BigInt accepts a minus sign, but no plus. */
function integerIn(bytes: Buffer, from: number, to: number): bigint {
    return BigInt(bytes.toString('latin1', bytes[from] === PLUS ? from + 1 : from, to));
}

/** @param got a number, or NaN for a token that is not one; infinite for one that does not fit a double */
function isNear(got: number, expected: number): boolean {
    if (!Number.isFinite(got) || !Number.isFinite(expected)) return false;
    return (
        Math.abs(got - expected) <= ABSOLUTE + RELATIVE * Math.abs(expected) ||
        inThousandths(got) === inThousandths(expected)
    );
}

/** A number rounded to three decimals as Python's round does: halves are rounded to even. */
function inThousandths(value: number): number {
    const scaled = value * 1000;
    // Only odd multiples of 1/16 lie exactly between two thousandths; multiplied by a thousand, they are exact as well.
    if (!Number.isInteger(value * 16) || Number.isInteger(scaled)) return Number(value.toFixed(3));
    const below = Math.floor(scaled);
    if (scaled - below !== 0.5) return Number(value.toFixed(3));
    return (below % 2 === 0 ? below : below + 1) / 1000;
}

import { AS_IS } from './bytes.js';
import type { Comparer } from './comparison.js';
import { StrippedLineComparer, strip, splitWords } from './stripped-lines.js';

/** Lines of many numbers are common here; longer lines than this are compared as text. */
const MAX_LINE_LENGTH = 256 * 1024;

/**
 * The comparison that LiveCodeBench uses for programs that read stdin: both sides are stripped and must have the same number of
 * lines, and each pair of stripped lines must be either the same text, or the same number of words that are decimal numbers of
 * exactly the same value (`1.0` is `1`, `9007199254740993` is not `9007199254740992`). There is no tolerance, and letter case
 * counts.
 *
 * Source: `grade_stdio` in lcb_runner/evaluation/testing_util.py of github.com/LiveCodeBench/LiveCodeBench; the numbers are those
 * of Python's `decimal.Decimal`.
 */
export function makeLiveCodeBenchComparer(): Comparer {
    return new StrippedLineComparer({ fold: AS_IS, longest: MAX_LINE_LENGTH, isSameLine });
}

function isSameLine(output: Buffer, answer: Buffer): boolean {
    const got = strip(output);
    const expected = strip(answer);
    if (got === expected) return true;
    const [left, right] = [splitWords(got), splitWords(expected)];
    return (
        left.length === right.length &&
        left.every((word, i) => {
            const value = canonicalDecimal(word);
            return value !== null && value === canonicalDecimal(right[i] ?? '');
        })
    );
}

const DECIMAL = /^([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,18}))?$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;

/**
 * A canonical text, the same for equal numbers; null if the word is not a number. Not-a-number equals nothing, so null is
 * returned for it too.
 */
function canonicalDecimal(word: string): string | null {
    const infinite = INFINITE.exec(word);
    if (infinite !== null) return `${infinite[1] === '-' ? '-' : ''}inf`;
    // Python allows underscores anywhere in a number.
    const match = DECIMAL.exec(word.replaceAll('_', ''));
    if (match === null) return null;
    const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
    const digits = `${whole}${fraction}`.replace(/^0+/, '');
    const significant = withoutTrailingZeros(digits);
    if (significant === '') return '0';
    const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
    return `${sign === '-' ? '-' : ''}${significant}e${power}`;
}

/** Without a regular expression, which takes quadratic time on a long run of zeros in the middle of a number. */
function withoutTrailingZeros(digits: string): string {
    let end = digits.length;
    while (end > 0 && digits[end - 1] === '0') end -= 1;
    return digits.slice(0, end);
}

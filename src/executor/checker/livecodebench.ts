import { AS_IS } from './bytes.js';
import type { Comparer } from './comparison.js';
import { StrippedLineComparer, strip, splitWords } from './stripped-lines.js';

/** Lines of many numbers are common here; longer ones are compared as text. */
const LONGEST_LINE = 256 * 1024;

/**
 * As LiveCodeBench grades programs that read stdin: both sides stripped, as many lines on both, and each pair of stripped lines
 * either the same text, or as many words on both that are decimal numbers of exactly the same value (`1.0` is `1`,
 * `9007199254740993` is not `9007199254740992`). There is no tolerance, and letter case counts.
 *
 * Source: `grade_stdio` in lcb_runner/evaluation/testing_util.py of github.com/LiveCodeBench/LiveCodeBench; the numbers are those
 * of Python's `decimal.Decimal`.
 */
export function makeLiveCodeBenchComparer(): Comparer {
    return new StrippedLineComparer({ fold: AS_IS, longest: LONGEST_LINE, isSameLine });
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

/** A text that is the same for equal numbers; null for what is not one. Not-a-number equals nothing, so it is not one either. */
function canonicalDecimal(word: string): string | null {
    const infinite = INFINITE.exec(word);
    if (infinite !== null) return `${infinite[1] === '-' ? '-' : ''}inf`;
    // Python takes underscores anywhere in it.
    const match = DECIMAL.exec(word.replaceAll('_', ''));
    if (match === null) return null;
    const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
    const digits = `${whole}${fraction}`.replace(/^0+/, '');
    const significant = withoutTrailingZeros(digits);
    if (significant === '') return '0';
    const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
    return `${sign === '-' ? '-' : ''}${significant}e${power}`;
}

/** Not by a regular expression: on a long run of zeros in the middle of a number that takes quadratic time. */
function withoutTrailingZeros(digits: string): string {
    let end = digits.length;
    while (end > 0 && digits[end - 1] === '0') end -= 1;
    return digits.slice(0, end);
}

import { LOWER } from './bytes.js';
import { type Comparer, MAX_WHOLE_BYTES } from './comparison.js';
import { parsePython } from './number.js';
import { StrippedLineComparer, strip } from './stripped-lines.js';

const TOLERANCE = 1e-5;

/**
 * SandboxFusion's comparison: both sides are stripped, then compared line by line, stripped and lower-cased. Two lines that are
 * one number each, including integers, may differ by 1e-5 of the expected one.
 */
export function makeSandboxFusionComparer(): Comparer {
    return new StrippedLineComparer({ fold: LOWER, longest: MAX_WHOLE_BYTES, isSameLine });
}

function isSameLine(output: Buffer, answer: Buffer): boolean {
    const { length } = output;
    if (length === answer.length) {
        let i = 0;
        while (i < length && LOWER[output[i] ?? 0] === LOWER[answer[i] ?? 0]) i += 1;
        if (i === length) return true;
    }
    const got = strip(output).toLowerCase();
    const expected = strip(answer).toLowerCase();
    if (got === expected) return true;
    const a = parsePython(got);
    const b = parsePython(expected);
    return Math.abs(a - b) / Math.max(Math.abs(b), 1e-10) < TOLERANCE;
}

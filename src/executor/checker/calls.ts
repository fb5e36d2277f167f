import { ACCEPTED, type Comparer, type Comparison, reject } from './comparison.js';
import type { Window } from './window.js';

/** Larger values are not compared, to bound memory. */
const MAX_VALUE_LENGTH = 256 * 1024;

/**
 * The comparison for values returned by a called function, as the harness of `dataset/calls/harness.ts` prints them: a line
 * `r:<value>` and, if the grader would also compare the value in another form, a line `c:<value>`. The expected side lists every
 * correct line. Output with more than one line of each kind is wrong, since programs must not list guesses.
 */
export class CallComparer implements Comparer {
    step(output: Window, answer: Window): Comparison | null {
        if (output.unread > MAX_VALUE_LENGTH) return reject('the returned value is too large');
        if (!output.last || !answer.last) {
            if (answer.unread === answer.bytes.length) return reject('the expected value is too large');
            return null;
        }
        const lines = splitLines(output);
        const right = new Set(splitLines(answer));
        output.at = output.end;
        answer.at = answer.end;
        const isFair =
            lines.length <= 2 && new Set(lines.map((line) => line.slice(0, 2))).size === lines.length;
        if (isFair && lines.some((line) => right.has(line))) return ACCEPTED;
        const [expected = ''] = right;
        return reject(`expected ${shownValue(expected)}, the function returned ${shownValue(lines[0])}`);
    }
}

const splitLines = ({ bytes, at, end }: Window): string[] =>
    bytes
        .subarray(at, end)
        .toString()
        .split('\n')
        .filter((line) => line !== '');

function shownValue(line: string | undefined): string {
    if (line === undefined) return 'nothing';
    const value = line.slice(2);
    return value.length > 60 ? `${value.slice(0, 60)}…` : value;
}

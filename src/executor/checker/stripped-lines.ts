import { type ByteMap, type ByteSet, makeByteSet, NEWLINE, quoteBytes } from './bytes.js';
import { ACCEPTED, type Comparer, type Comparison, reject } from './comparison.js';
import type { Window } from './window.js';

/** ASCII white space removed by Python's strip, without the newline that ends a line. */
const SPACES: ByteSet = makeByteSet([9, 11, 12, 13, 28, 29, 30, 31, 32]);
/** All white space that it removes, including non-ASCII characters. */
const PYTHON_SPACE = '\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000';
const PYTHON_STRIP = new RegExp(`^[${PYTHON_SPACE}]+|[${PYTHON_SPACE}]+$`, 'g');
const PYTHON_SPLIT = new RegExp(`[${PYTHON_SPACE}]+`);

/**
 * What follows the white space at the front of a window: a line of so many bytes, a line too long to be examined as a whole, or
 * nothing.
 */
type Front =
    | { readonly kind: 'line'; readonly from: number; readonly to: number }
    | { readonly kind: 'long' }
    | { readonly kind: 'end' }
    | { readonly kind: 'more' };

/** How two stripped lines are compared. */
export interface LineRules {
    /** Maps bytes before they are compared, such as upper case to lower case, in a line too long to be examined as a whole. */
    readonly fold: ByteMap;
    /** Lines up to this many bytes are examined as a whole. */
    readonly longest: number;
    /** Compares two lines, which may still have white space around them. */
    readonly isSameLine: (output: Buffer, answer: Buffer) => boolean;
}

/** Compares line by line, after stripping both sides as a whole and each line as Python's strip does. */
export class StrippedLineComparer implements Comparer {
    private line = 1;
    private begun = { output: false, answer: false };
    private inLong: 'no' | 'in step' | 'parted' = 'no';

    constructor(private readonly rules: LineRules) {}

    step(output: Window, answer: Window): Comparison | null {
        const { longest, isSameLine } = this.rules;
        for (;;) {
            if (this.inLong !== 'no') {
                const result = this.stepLong(output, answer);
                if (result !== 'passed') return result;
                continue;
            }
            if (!this.begin('output', output) || !this.begin('answer', answer)) return null;
            const got = front(output, longest);
            const expected = front(answer, longest);
            if (got.kind === 'end' || expected.kind === 'end') {
                const other = got.kind === 'end' ? answer : output;
                return this.onlyBlank(other, other === answer);
            }
            if (got.kind === 'long' || expected.kind === 'long') {
                this.inLong = 'in step';
                continue;
            }
            if (got.kind === 'more' || expected.kind === 'more') return null;
            const gotLine = output.bytes.subarray(got.from, got.to);
            const expectedLine = answer.bytes.subarray(expected.from, expected.to);
            if (!gotLine.equals(expectedLine) && !isSameLine(gotLine, expectedLine)) {
                return reject(
                    `line ${this.line}: expected ${quoteBytes(answer.bytes, expected.from, expected.to)}, got ${quoteBytes(output.bytes, got.from, got.to)}`,
                );
            }
            this.pass(output, got.to, answer, expected.to);
        }
    }

    private pass(output: Window, outputEnd: number, answer: Window, answerEnd: number): void {
        // At the end of a side there is no newline to skip.
        output.at = Math.min(outputEnd + 1, output.end);
        answer.at = Math.min(answerEnd + 1, answer.end);
        this.line += 1;
    }

    /** Skips blank lines at the front of a side; true once it has reached another line or the end. */
    private begin(name: 'output' | 'answer', window: Window): boolean {
        while (!this.begun[name]) {
            const line = front(window, this.rules.longest);
            if (line.kind === 'more') return false;
            if (line.kind !== 'line' || !isBlank(window, line.from, line.to)) this.begun[name] = true;
            else window.at = Math.min(line.to + 1, window.end);
        }
        return true;
    }

    private onlyBlank(window: Window, isAnswer: boolean): Comparison | null {
        for (;;) {
            const line = front(window, this.rules.longest);
            if (line.kind === 'end') return ACCEPTED;
            if (line.kind === 'more') return null;
            if (line.kind === 'long' || !isBlank(window, line.from, line.to)) {
                return reject(
                    isAnswer
                        ? `the output ended before line ${this.line}`
                        : `line ${this.line}: the expected output ended before it`,
                );
            }
            window.at = Math.min(line.to + 1, window.end);
        }
    }

    /** Compares a long line as text, without the ASCII white space around it. */
    private stepLong(output: Window, answer: Window): Comparison | 'passed' | null {
        const { fold, longest } = this.rules;
        while (this.inLong === 'in step') {
            if ((output.unread === 0 && !output.last) || (answer.unread === 0 && !answer.last)) return null;
            const a = output.unread > 0 ? (output.bytes[output.at] ?? 0) : NEWLINE;
            const b = answer.unread > 0 ? (answer.bytes[answer.at] ?? 0) : NEWLINE;
            if (fold[a] !== fold[b] || a === NEWLINE) {
                this.inLong = 'parted';
                break;
            }
            output.at += 1;
            answer.at += 1;
        }
        skipSpaces(output);
        skipSpaces(answer);
        for (const window of [output, answer]) {
            if (window.unread === 0 && !window.last) return null;
            if (window.unread > 0 && window.bytes[window.at] !== NEWLINE) {
                return reject(`line ${this.line} differs (it is longer than ${longest} bytes)`);
            }
        }
        this.inLong = 'no';
        this.pass(output, output.at, answer, answer.at);
        return 'passed';
    }
}

/** Skips white space and finds out what follows it. */
function front(window: Window, longest: number): Front {
    skipSpaces(window);
    if (window.unread === 0) return { kind: window.last ? 'end' : 'more' };
    const within = Math.min(window.end, window.at + longest + 1);
    const newline = window.bytes.subarray(window.at, within).indexOf(NEWLINE);
    if (newline !== -1) return { kind: 'line', from: window.at, to: window.at + newline };
    if (window.unread > longest) return { kind: 'long' };
    return window.last ? { kind: 'line', from: window.at, to: window.end } : { kind: 'more' };
}

function skipSpaces(window: Window): void {
    while (window.at < window.end && SPACES[window.bytes[window.at] ?? 0] === 1) window.at += 1;
}

function isBlank(window: Window, from: number, to: number): boolean {
    return from === to || strip(window.bytes.subarray(from, to)) === '';
}

/** A line's text after Python's strip. */
export function strip(line: Buffer): string {
    return line.toString('utf8').replace(PYTHON_STRIP, '');
}

/** The words of a stripped text, as Python's split returns them. */
export function splitWords(text: string): string[] {
    return text === '' ? [] : text.split(PYTHON_SPLIT);
}

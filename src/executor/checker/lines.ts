import { NEWLINE, makeByteSet, quoteBytes, type ByteSet } from './bytes.js';
import { ACCEPTED, reject, type Comparer, type Comparison } from './comparison.js';
import type { Window } from './window.js';

/** Invisible white space at the end of a line, including the carriage return of a CRLF. */
const LINE_END_SPACES: ByteSet = makeByteSet([9, 11, 12, 13, 32]);

/**
 * Compares lines without trailing white space, and without empty lines at the end.
 *
 * Both sides advance in step while their bytes are equal. After the first difference, the lines are still equal if only ignorable
 * white space follows on both sides up to the end of the line. So nothing needs to be remembered, however long a line is.
 */
export class LineComparer implements Comparer {
    private line = 1;
    private column = 1;
    /** The sides differ: only ignorable white space may follow in this line. */
    private parted = false;
    private shownOutput = '';
    private shownAnswer = '';

    constructor(private readonly ignorable: ByteSet = LINE_END_SPACES) {}

    step(output: Window, answer: Window): Comparison | null {
        for (;;) {
            if (!this.parted && !this.goInStep(output, answer)) return null;
            const outputLine = this.passIgnorable(output);
            const answerLine = this.passIgnorable(answer);
            if (outputLine === 'text' || answerLine === 'text') return this.differ();
            if (outputLine === 'more' || answerLine === 'more') return null;
            if (outputLine === 'end') return this.onlyBlank(answer);
            if (answerLine === 'end') return this.onlyBlank(output);
            output.at += 1;
            answer.at += 1;
            this.line += 1;
            this.column = 1;
            this.parted = false;
        }
    }

    /** Advances while both sides are equal; false if it needs more bytes to decide. */
    private goInStep(output: Window, answer: Window): boolean {
        const left = output.bytes;
        const right = answer.bytes;
        const common = Math.min(output.unread, answer.unread);
        let i = 0;
        for (; i < common; i += 1) {
            const byte = left[output.at + i] ?? 0;
            if (byte !== right[answer.at + i]) break;
            if (byte === NEWLINE) {
                this.line += 1;
                this.column = 1;
            } else {
                this.column += 1;
            }
        }
        output.at += i;
        answer.at += i;
        if (
            i === common &&
            ((output.unread === 0 && !output.last) || (answer.unread === 0 && !answer.last))
        ) {
            return false;
        }
        this.parted = true;
        this.shownOutput = restOfLine(output);
        this.shownAnswer = restOfLine(answer);
        return true;
    }

    private passIgnorable(window: Window): 'newline' | 'end' | 'text' | 'more' {
        const { bytes, end } = window;
        let { at } = window;
        while (at < end && this.ignorable[bytes[at] ?? 0] === 1) at += 1;
        window.at = at;
        if (at === end) return window.last ? 'end' : 'more';
        return bytes[at] === NEWLINE ? 'newline' : 'text';
    }

    /** The other side has ended: only blank lines may follow on this one. */
    private onlyBlank(window: Window): Comparison | null {
        for (;;) {
            switch (this.passIgnorable(window)) {
                case 'end':
                    return ACCEPTED;
                case 'more':
                    return null;
                case 'text':
                    return this.differ();
                case 'newline':
                    window.at += 1;
            }
        }
    }

    private differ(): Comparison {
        return reject(
            `line ${this.line}, byte ${this.column}: expected ${this.shownAnswer}, got ${this.shownOutput}`,
        );
    }
}

function restOfLine(window: Window): string {
    const newline = window.bytes.subarray(window.at, window.end).indexOf(NEWLINE);
    if (window.unread === 0) return 'the end';
    if (newline === 0) return 'the end of the line';
    return `"${quoteBytes(window.bytes, window.at, newline === -1 ? window.end : window.at + newline)}"`;
}

import { escapeLine } from '../../util/printable.js';
import { AS_IS, C_SPACES, quoteBytes, type ByteMap, type ByteSet } from './bytes.js';
import { ACCEPTED, MAX_WHOLE_BYTES, reject, type Comparer, type Comparison } from './comparison.js';
import type { Window } from './window.js';

/** How tokens are separated and compared. */
export interface TokenRules {
    readonly spaces: ByteSet;
    /** Maps bytes before they are compared, such as upper case to lower case. */
    readonly fold: ByteMap;
    /** When compared as text, a token ends at its first NUL, as in C. */
    readonly cutAtNul: boolean;
    /** White space must be identical on both sides. */
    readonly sameSpaces: boolean;
    /** Whether two tokens that differ as text are numbers that are close enough. */
    readonly asNumbers:
        | ((output: Window, outputEnd: number, answer: Window, answerEnd: number) => boolean)
        | null;
    /** Called for each token that is equal as text. */
    readonly onSame: ((output: Window, outputEnd: number) => void) | null;
}

export const EXACT_TOKENS: TokenRules = {
    spaces: C_SPACES,
    fold: AS_IS,
    cutAtNul: false,
    sameSpaces: false,
    asNumbers: null,
    onSame: null,
};

/** Compares white-space-separated tokens. */
export class TokenComparer implements Comparer {
    /** Tokens found equal so far. */
    private tokens = 0;
    /** Inside a token that is too long to be examined as a whole. */
    private inLong = false;
    /** After a NUL that ends the token as text: the rest of the token is skipped. */
    private pastNul = false;
    /** The answer's white space before the next token has been matched. */
    private spaced = false;

    constructor(private readonly rules: TokenRules) {}

    step(output: Window, answer: Window): Comparison | null {
        for (;;) {
            if (this.inLong) {
                const result = this.stepLong(output, answer);
                if (result !== 'passed') return result;
                continue;
            }
            const spaces = this.rules.sameSpaces
                ? this.matchSpaces(output, answer)
                : this.skipSpaces(output, answer);
            if (spaces !== 'passed') return spaces;
            if (output.unread === 0 || answer.unread === 0) return this.atEnd(output, answer);
            const outputEnd = this.tokenEnd(output);
            const answerEnd = this.tokenEnd(answer);
            if (isLong(output, outputEnd) || isLong(answer, answerEnd)) {
                this.inLong = true;
                continue;
            }
            if (outputEnd === -1 || answerEnd === -1) return null;
            if (!this.same(output, outputEnd, answer, answerEnd)) {
                return reject(
                    `token ${this.tokens + 1}: expected ${quoteBytes(answer.bytes, answer.at, answerEnd)}, got ${quoteBytes(output.bytes, output.at, outputEnd)}`,
                );
            }
            output.at = outputEnd;
            answer.at = answerEnd;
            this.tokens += 1;
            this.spaced = false;
        }
    }

    private skipSpaces(output: Window, answer: Window): 'passed' | null {
        skip(output, this.rules.spaces);
        skip(answer, this.rules.spaces);
        const known = (output.unread > 0 || output.last) && (answer.unread > 0 || answer.last);
        return known ? 'passed' : null;
    }

    /** The output must contain exactly the answer's white space. */
    private matchSpaces(output: Window, answer: Window): Comparison | 'passed' | null {
        const { spaces } = this.rules;
        while (!this.spaced) {
            if (answer.unread === 0 && !answer.last) return null;
            const expected = answer.unread > 0 ? (answer.bytes[answer.at] ?? 0) : -1;
            if (expected === -1 || spaces[expected] === 0) {
                this.spaced = true;
                break;
            }
            if (output.unread === 0 && !output.last) return null;
            const got = output.unread > 0 ? output.bytes[output.at] : undefined;
            if (got !== expected) return this.spacesDiffer(expected, got);
            answer.at += 1;
            output.at += 1;
        }
        if (output.unread === 0) return output.last ? 'passed' : null;
        const got = output.bytes[output.at] ?? 0;
        return spaces[got] === 1 ? this.spacesDiffer(undefined, got) : 'passed';
    }

    private spacesDiffer(expected: number | undefined, got: number | undefined): Comparison {
        const where = this.tokens === 0 ? 'before the first token' : `after token ${this.tokens}`;
        return reject(`white space ${where}: expected ${named(expected)}, got ${named(got)}`);
    }

    /** One side has no more tokens. */
    private atEnd(output: Window, answer: Window): Comparison {
        if (output.unread === 0 && answer.unread === 0) return ACCEPTED;
        const [side, got] =
            output.unread === 0 ? [answer, 'the output ended'] : [output, 'the expected output ended'];
        const end = this.tokenEnd(side);
        const token = quoteBytes(side.bytes, side.at, end === -1 ? side.end : end);
        return reject(
            side === answer
                ? `token ${this.tokens + 1}: expected ${token}, ${this.tokens === 0 ? 'the output has no tokens' : got}`
                : `token ${this.tokens + 1}: got ${token}, ${got}`,
        );
    }

    /** End of the token at the front of a window; -1 if it is not in the window yet. */
    private tokenEnd(window: Window): number {
        const { spaces } = this.rules;
        const { bytes, end } = window;
        for (let at = window.at; at < end; at += 1) {
            if (spaces[bytes[at] ?? 0] === 1) return at;
        }
        return window.last ? end : -1;
    }

    private same(output: Window, outputEnd: number, answer: Window, answerEnd: number): boolean {
        const { onSame, asNumbers } = this.rules;
        if (this.sameText(output, outputEnd, answer, answerEnd)) {
            onSame?.(output, outputEnd);
            return true;
        }
        return asNumbers !== null && asNumbers(output, outputEnd, answer, answerEnd);
    }

    private sameText(output: Window, outputEnd: number, answer: Window, answerEnd: number): boolean {
        const { fold, cutAtNul } = this.rules;
        const left = output.bytes;
        const right = answer.bytes;
        let i = output.at;
        let j = answer.at;
        for (; i < outputEnd && j < answerEnd; i += 1, j += 1) {
            const a = left[i] ?? 0;
            const b = right[j] ?? 0;
            if (a !== b && fold[a] !== fold[b]) return false;
            if (cutAtNul && a === 0) return true;
        }
        if (cutAtNul) return (i === outputEnd || left[i] === 0) && (j === answerEnd || right[j] === 0);
        return i === outputEnd && j === answerEnd;
    }

    /** Compares a long token as text, byte by byte, as far as the windows reach. */
    private stepLong(output: Window, answer: Window): Comparison | 'passed' | null {
        const { spaces, fold, cutAtNul } = this.rules;
        while (!this.pastNul) {
            if ((output.unread === 0 && !output.last) || (answer.unread === 0 && !answer.last)) return null;
            const a = output.unread > 0 ? (output.bytes[output.at] ?? 0) : SPACE;
            const b = answer.unread > 0 ? (answer.bytes[answer.at] ?? 0) : SPACE;
            const outputStops = spaces[a] === 1 || (cutAtNul && a === 0);
            const answerStops = spaces[b] === 1 || (cutAtNul && b === 0);
            if (outputStops && answerStops) break;
            if (outputStops !== answerStops || fold[a] !== fold[b]) {
                return reject(
                    `token ${this.tokens + 1} differs (it is longer than ${MAX_WHOLE_BYTES} bytes)`,
                );
            }
            output.at += 1;
            answer.at += 1;
        }
        // Bytes after a NUL are skipped, not compared.
        this.pastNul = true;
        const passedOutput = this.passToken(output);
        const passedAnswer = this.passToken(answer);
        if (!passedOutput || !passedAnswer) return null;
        this.pastNul = false;
        this.inLong = false;
        this.spaced = false;
        this.tokens += 1;
        return 'passed';
    }

    /** Moves to the end of the token; false if it is not in the window yet. */
    private passToken(window: Window): boolean {
        const end = this.tokenEnd(window);
        window.at = end === -1 ? window.end : end;
        return end !== -1;
    }
}

const SPACE = 32;

function skip(window: Window, spaces: ByteSet): void {
    const { bytes, end } = window;
    let { at } = window;
    while (at < end && spaces[bytes[at] ?? 0] === 1) at += 1;
    window.at = at;
}

function isLong(window: Window, end: number): boolean {
    return (end === -1 ? window.unread : end - window.at) > MAX_WHOLE_BYTES;
}

function named(space: number | undefined): string {
    switch (space) {
        case undefined:
            return 'none';
        case 32:
            return 'a space';
        case 10:
            return 'a line feed';
        case 13:
            return 'a carriage return';
        case 9:
            return 'a tab';
        default:
            return `"${escapeLine(String.fromCharCode(space))}"`;
    }
}

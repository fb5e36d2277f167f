import { quoteBytes } from './bytes.js';
import { ACCEPTED, reject, type Comparer, type Comparison } from './comparison.js';
import type { Window } from './window.js';

/** Byte by byte. */
export class ExactComparer implements Comparer {
    private passed = 0;

    step(output: Window, answer: Window): Comparison | null {
        const common = Math.min(output.unread, answer.unread);
        const left = output.bytes.subarray(output.at, output.at + common);
        const right = answer.bytes.subarray(answer.at, answer.at + common);
        if (!left.equals(right)) {
            const at = left.findIndex((byte, i) => byte !== right[i]);
            return reject(
                `byte ${this.passed + at + 1}: expected ${part(answer, answer.at + at)}, got ${part(output, output.at + at)}`,
            );
        }
        output.at += common;
        answer.at += common;
        this.passed += common;
        if (output.unread > 0) {
            return answer.last
                ? reject(`byte ${this.passed + 1}: got ${part(output, output.at)}, the expected output ended`)
                : null;
        }
        if (answer.unread > 0) {
            return output.last
                ? reject(`byte ${this.passed + 1}: expected ${part(answer, answer.at)}, the output ended`)
                : null;
        }
        return output.last && answer.last ? ACCEPTED : null;
    }
}

/** A few bytes from this position, in quotes, since white space matters. */
function part(window: Window, at: number): string {
    return `"${quoteBytes(window.bytes, at, Math.min(window.end, at + 20))}"`;
}

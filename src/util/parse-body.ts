import { MAX_NESTING } from './nesting.js';

/** A JSON text nested more deeply than our code walks. */
export class NestingError extends Error {}

/**
 * Parses JSON that a server sent. Millions of levels would block this thread for many seconds in `JSON.parse`, so they are
 * counted first.
 * @throws SyntaxError | NestingError
 */
export function parseBody(body: Buffer): unknown {
    if (isNestedText(body)) throw new NestingError(`more than ${MAX_NESTING} levels`);
    return JSON.parse(body.toString('utf8').replace(/^\uFEFF/, ''));
}

/** What is wrong with a body that `parseBody` rejected. */
export const describeParseError = (error: unknown, body: Buffer): string =>
    error instanceof NestingError
        ? `the answer is nested more than ${MAX_NESTING} levels deep (${body.length} bytes)`
        : `the answer is not JSON (${body.length} bytes)`;

/** Brackets inside strings do not count. Bytes of multi-byte UTF-8 characters never look like ASCII. */
function isNestedText(body: Buffer): boolean {
    let depth = 0;
    let isText = false;
    for (let at = 0; at < body.length; at += 1) {
        const byte = body[at];
        if (isText) {
            if (byte === BACKSLASH) at += 1;
            else if (byte === QUOTE) isText = false;
        } else if (byte === QUOTE) isText = true;
        else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
            depth += 1;
            if (depth > MAX_NESTING) return true;
        } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth -= 1;
    }
    return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

import { closeSync, openSync, readSync } from 'node:fs';
import type { FirstDifference } from '../model/entry.js';
import type { Output } from './cut-text.js';

/** Bytes kept before and after the first difference. */
const CONTEXT_BYTES = 256;
/** Bytes of each text that are compared; later differences are not found. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * The first difference between an output and the expected one, as texts. Any sequence of white space counts as one blank, unless
 * that is the only difference. What a checker tolerates (digits, letter case) counts as a difference here.
 * @returns null if none is found
 */
export function findFirstDifference(expected: Output, got: Output): FirstDifference | null {
    const [wanted, printed] = [takeStart(expected), takeStart(got)];
    const place = differenceByWords(wanted, printed) ?? differenceByBytes(wanted, printed);
    if (place === null) return null;
    const [inWanted, inPrinted] = place;
    let line = 1;
    for (let at = 0; at < inWanted; at += 1) if (wanted[at] === NEW_LINE) line += 1;
    return { line, expected: textAround(wanted, inWanted), got: textAround(printed, inPrinted) };
}

const NEW_LINE = 0x0a;

type Place = readonly [inWanted: number, inPrinted: number];

const isBlank = (byte: number | undefined): boolean =>
    byte === 0x20 || (byte !== undefined && byte >= 9 && byte <= 13);

function differenceByWords(wanted: Buffer, printed: Buffer): Place | null {
    let [a, b] = [skipBlanks(wanted, 0), skipBlanks(printed, 0)];
    while (a < wanted.length && b < printed.length) {
        if (isBlank(wanted[a]) && isBlank(printed[b])) {
            [a, b] = [skipBlanks(wanted, a), skipBlanks(printed, b)];
            continue;
        }
        if (wanted[a] !== printed[b]) return [a, b];
        a += 1;
        b += 1;
    }
    const isOver = skipBlanks(wanted, a) === wanted.length && skipBlanks(printed, b) === printed.length;
    return isOver ? null : [skipBlanks(wanted, a), b];
}

function differenceByBytes(wanted: Buffer, printed: Buffer): Place | null {
    const shorter = Math.min(wanted.length, printed.length);
    let at = 0;
    while (at < shorter && wanted[at] === printed[at]) at += 1;
    return at === wanted.length && at === printed.length ? null : [at, at];
}

function skipBlanks(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length && isBlank(bytes[at])) at += 1;
    return at;
}

/** The text around a position; a character that would be cut in half is left out. */
function textAround(bytes: Buffer, place: number): string {
    const [from, to] = [Math.max(0, place - CONTEXT_BYTES), Math.min(bytes.length, place + CONTEXT_BYTES)];
    const text = bytes.subarray(from, to).toString();
    return text
        .replace(from > 0 ? /^\ufffd{1,3}/ : /^(?!)/, '')
        .replace(to < bytes.length ? /\ufffd{1,3}$/ : /(?!)$/, '');
}

function takeStart(output: Output): Buffer {
    if (Buffer.isBuffer(output)) return output.subarray(0, MAX_BYTES);
    const file = openSync(output.path, 'r');
    try {
        const start = Buffer.alloc(MAX_BYTES);
        return start.subarray(0, readSync(file, start, 0, MAX_BYTES, 0));
    } finally {
        closeSync(file);
    }
}

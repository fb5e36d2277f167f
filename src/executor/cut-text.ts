import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Text cut to a maximum number of bytes. */
export interface CutText {
    readonly text: string;
    /** Original length in bytes; null if nothing was cut. */
    readonly cutFrom: number | null;
}

/** A program's output: in memory, or in a file if it is large. */
export type Output = Buffer | { readonly path: string };

/**
 * The first `limit` bytes of an output as text. Bytes that are not UTF-8 become U+FFFD; a character is never cut in half.
 * @param total original number of bytes, if the output is only their beginning
 */
export function cutText(output: Output | string, limit: number, total?: number): CutText {
    const bytes = typeof output === 'string' ? Buffer.from(output) : output;
    const start = Buffer.isBuffer(bytes) ? bytes : readStart(bytes.path, limit + 1);
    const all = Math.max(total ?? 0, start.length);
    return { text: utf8Start(start, limit), cutFrom: all > Math.min(limit, start.length) ? all : null };
}

function readStart(path: string, length: number): Buffer {
    const file = openSync(path, 'r');
    try {
        const start = Buffer.alloc(length);
        return start.subarray(0, readSync(file, start, 0, length, 0));
    } finally {
        closeSync(file);
    }
}

/** The last `length` bytes of a file. */
export function readEnd(path: string, length: number): Buffer {
    const file = openSync(path, 'r');
    try {
        const { size } = fstatSync(file);
        const end = Buffer.alloc(Math.min(size, length));
        return end.subarray(0, readSync(file, end, 0, end.length, size - end.length));
    } finally {
        closeSync(file);
    }
}

/** The first `max` bytes as text, without an incomplete character at the end. */
function utf8Start(bytes: Buffer, max: number): string {
    if (bytes.length <= max) return bytes.toString();
    let end = max;
    // At most three bytes of a character can precede the cut.
    for (let back = 1; back <= 3 && back <= max; back++) {
        const byte = bytes[max - back] as number;
        if ((byte & 0b1100_0000) === 0b1000_0000) continue;
        if (byte >= 0b1100_0000 && back < characterLength(byte)) end = max - back;
        break;
    }
    return bytes.subarray(0, end).toString();
}

function characterLength(lead: number): number {
    return lead >= 0b1111_0000 ? 4 : lead >= 0b1110_0000 ? 3 : 2;
}

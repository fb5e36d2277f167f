import { escapeLine } from '../../util/printable.js';

/*
 * Tables over all byte values, and the display of bytes in messages. Outputs are bytes: they need not be UTF-8 and may contain
 * NUL.
 */

/** `table[byte]` is 1 for members. */
export type ByteSet = Uint8Array;
/** `table[byte]` is the byte that it is compared as. */
export type ByteMap = Uint8Array;

export function makeByteSet(members: Iterable<number>): ByteSet {
    const set = new Uint8Array(256);
    for (const byte of members) set[byte] = 1;
    return set;
}

/** Tab, line feed, vertical tab, form feed, carriage return, space: C's isspace. */
export const C_SPACES: ByteSet = makeByteSet([9, 10, 11, 12, 13, 32]);

export const AS_IS: ByteMap = Uint8Array.from({ length: 256 }, (_, byte) => byte);

/** ASCII letters are compared in lower case. */
export const LOWER: ByteMap = AS_IS.map((byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte));

export const NEWLINE = 10;

const MAX_SHOWN_LENGTH = 40;

/** Shows bytes as a word in a message: truncated, and without anything that a terminal could interpret as a command. */
export function quoteBytes(bytes: Buffer, from: number, to: number): string {
    // A character has at most four bytes; one that is cut in half at the end is dropped with the rest.
    const room = Math.min(to, from + MAX_SHOWN_LENGTH * 4);
    const text = escapeLine(bytes.toString('utf8', from, room));
    const characters = Array.from(text);
    if (room === to && characters.length <= MAX_SHOWN_LENGTH) return text;
    return `${characters.slice(0, MAX_SHOWN_LENGTH).join('')}… (${to - from} bytes)`;
}

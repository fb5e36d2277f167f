import { isUtf8 } from 'node:buffer';
import { inflateSync } from 'node:zlib';

/*
 * The text that LiveCodeBench packs its private tests into: base64 of a zlib stream of a Python pickle of one string. Unpickling
 * executes whatever a pickle says, so this code does not unpickle: it recognises the opcodes that `pickle.dumps` writes for one
 * string, and refuses a pickle with any other.
 *
 *   [PROTO n] [FRAME] string [MEMOIZE | BINPUT | LONG_BINPUT] [FRAME] STOP
 *
 * Source: Lib/pickletools.py of CPython, protocols 2 to 5.
 */

export type Unpacked =
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'refused'; readonly why: string };

/** Whether a text is base64 of a zlib stream (first bytes 78 01, 78 5e, 78 9c, 78 da) rather than JSON. */
export function looksPacked(text: string): boolean {
    return /^\s*e[AFNJ][A-Za-z0-9+/]/.test(text);
}

/** The same as the longest row of a dataset. */
const MAX_BYTES = 256 * 1024 * 1024;

/** @param maxBytes most that the stream may unpack to, since a small one can grow a thousandfold */
export function unpackText(packed: string, maxBytes = MAX_BYTES): Unpacked {
    let pickle: Buffer;
    try {
        pickle = inflateSync(Buffer.from(packed, 'base64'), { maxOutputLength: maxBytes });
    } catch (error) {
        const tooLarge = error instanceof RangeError;
        return refuse(tooLarge ? `larger than ${maxBytes} bytes` : 'but not as a zlib stream');
    }
    const bytes = findOnlyString(pickle);
    if (bytes === null) return refuse('as a Python pickle of another shape, which is never unpickled');
    if (!isUtf8(bytes)) return refuse('but not as UTF-8 text');
    return { kind: 'text', text: bytes.toString('utf8') };
}

const refuse = (why: string): Unpacked => ({ kind: 'refused', why });

const [PROTO, FRAME, MEMOIZE, BINPUT, LONG_BINPUT, STOP] = [0x80, 0x95, 0x94, 0x71, 0x72, 0x2e];
/** Number of bytes that hold the length of a string, by opcode: SHORT_BINUNICODE, BINUNICODE, BINUNICODE8. */
const LENGTH_BYTES: ReadonlyMap<number, number> = new Map([
    [0x8c, 1],
    [0x58, 4],
    [0x8d, 8],
]);

/** The bytes of the string that a pickle consists of; null if it contains anything else. */
function findOnlyString(pickle: Buffer): Buffer | null {
    let at = 0;
    const skip = (opcode: number, bytes: number): boolean => {
        if (pickle[at] !== opcode || at + bytes > pickle.length) return false;
        at += bytes;
        return true;
    };
    skip(PROTO, 2);
    skip(FRAME, 9);
    const width = LENGTH_BYTES.get(pickle[at] ?? -1);
    if (width === undefined || at + 1 + width > pickle.length) return null;
    const start = at + 1 + width;
    const length = Number(readLength(pickle, at + 1, width));
    if (start + length > pickle.length) return null;
    at = start + length;
    // A large string is written outside any frame, and what follows it in a frame of its own.
    skip(FRAME, 9);
    if (!skip(MEMOIZE, 1) && !skip(BINPUT, 2)) skip(LONG_BINPUT, 5);
    skip(FRAME, 9);
    return pickle[at] === STOP && at + 1 === pickle.length ? pickle.subarray(start, start + length) : null;
}

function readLength(bytes: Buffer, at: number, width: number): bigint | number {
    return width === 8 ? bytes.readBigUInt64LE(at) : bytes.readUIntLE(at, width);
}

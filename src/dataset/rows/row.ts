import type { FileHandle } from 'node:fs/promises';
import { openFile } from '../../host/open-file.js';
import { shortenPath } from '../../util/shown-path.js';
import { UserError } from '../../util/user-error.js';

/** Longest row that is read, in bytes: V8 strings are limited to 512 MiB, and parsing needs several times the row's size. */
export const MAX_ROW_BYTES = 256 * 1024 * 1024;

/** One unparsed row of a file. */
export interface RawRow {
    /** Line on which the row starts, counting from 1. */
    readonly line: number;
    /** Bytes from the start of the file. */
    readonly offset: number;
    readonly length: number;
    /** null: longer than `MAX_ROW_BYTES`, and skipped without being held. */
    readonly bytes: Buffer | null;
    /** The same as text, if already known; always ASCII. */
    readonly text?: string;
}

/** Bytes of a file read at a time. */
const CHUNK_BYTES = 1024 * 1024;

export interface Chunk {
    readonly bytes: Buffer;
    /** Position of the first byte in the file. */
    readonly offset: number;
}

/** Reads a file in chunks, each only once; the next one is read on demand. */
export async function* readChunks(file: string): AsyncIterable<Chunk> {
    yield* readHandle(await openFile(file));
}

/** The same for an open file, which is closed at the end. */
export async function* readHandle(handle: FileHandle): AsyncIterable<Chunk> {
    try {
        let offset = 0;
        for (;;) {
            const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
            const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, offset);
            if (bytesRead === 0) return;
            yield { bytes: buffer.subarray(0, bytesRead), offset };
            offset += bytesRead;
        }
    } finally {
        await handle.close();
    }
}

/** Collects the bytes of one row over several chunks, and discards them if there are too many. */
export class RowBytes {
    readonly #parts: Buffer[] = [];
    #length = 0;

    constructor(private readonly limit: number) {}

    get length(): number {
        return this.#length;
    }

    add(part: Buffer): void {
        this.#length += part.length;
        if (this.#length > this.limit) this.#parts.length = 0;
        else if (part.length > 0) this.#parts.push(part);
    }

    /** Returns the row's bytes (null if there were too many) and makes room for the next row. */
    take(): Buffer | null {
        const bytes = this.#length > this.limit ? null : this.#join();
        this.#parts.length = 0;
        this.#length = 0;
        return bytes;
    }

    #join(): Buffer {
        const [first, second] = this.#parts;
        if (first === undefined) return Buffer.alloc(0);
        return second === undefined ? first : Buffer.concat(this.#parts);
    }
}

/** Length of a UTF-8 byte order mark at the start. @throws UserError for files in UTF-16 */
export function skipByteOrderMark(start: Buffer, file: string): number {
    const [a, b, c] = start;
    if (a === 0xef && b === 0xbb && c === 0xbf) return 3;
    if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) {
        throw new UserError(`${shortenPath(file)}: is UTF-16 text; expected UTF-8`);
    }
    return 0;
}

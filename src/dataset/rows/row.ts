import type { FileHandle } from 'node:fs/promises';
import { openFile } from '../../host/open-file.js';
import { shortenPath } from '../../util/shown-path.js';
import { UserError } from '../../util/user-error.js';

/** Longest row that is read, in bytes: a V8 string ends at 512 MiB, and parsing needs several times the row. */
export const MAX_ROW_BYTES = 256 * 1024 * 1024;

/** One row as it stands in its file. */
export interface RawRow {
    /** 1 for the first line; where the row starts. */
    readonly line: number;
    /** Bytes from the start of the file. */
    readonly offset: number;
    readonly length: number;
    /** null: longer than `MAX_ROW_BYTES`, passed over without being held. */
    readonly bytes: Buffer | null;
    /** The same as text, where it is known already: always ASCII. */
    readonly text?: string;
}

/** Bytes of a file that are read at a time. */
const CHUNK_BYTES = 1024 * 1024;

export interface Chunk {
    readonly bytes: Buffer;
    /** Position of its first byte in the file. */
    readonly offset: number;
}

/** Reads a file in pieces, each only once; the next one is read when it is asked for. */
export async function* readChunks(file: string): AsyncIterable<Chunk> {
    yield* readHandle(await openFile(file));
}

/** The same of an open file, which is closed at the end. */
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

/** Collects the bytes of one row over several chunks, and lets go of them when there are too many. */
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

    /** The row's bytes (null if there were too many); the next row can start. */
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

/** Length of a byte order mark of UTF-8. @throws UserError for files in UTF-16 */
export function skipByteOrderMark(start: Buffer, file: string): number {
    const [a, b, c] = start;
    if (a === 0xef && b === 0xbb && c === 0xbf) return 3;
    if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) {
        throw new UserError(`${shortenPath(file)}: is UTF-16 text; expected UTF-8`);
    }
    return 0;
}

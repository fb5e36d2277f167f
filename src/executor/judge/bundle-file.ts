import { type FileHandle, open } from 'node:fs/promises';
import { openFile } from '../../host/open-file.js';

/** A file in a bundle that was written by a box. */
export interface BundledFile {
    readonly name: string;
    readonly size: number;
    readonly copyTo: (path: string) => Promise<void>;
}

const NUMBER_BYTES = 4;
const MAX_NAME_BYTES = 4096;

/**
 * The files of a bundle, one after another, since a bundle of all tests of a problem may not fit in memory. `unpack` reads one
 * that does; native/scratch.h describes the format.
 * @throws RangeError if it is not a bundle
 */
export async function* readBundle(path: string): AsyncGenerator<BundledFile> {
    const file = await openFile(path);
    try {
        const { size: end } = await file.stat();
        for (let at = 0; at < end; ) {
            const nameBytes = (await readBytes(file, at, NUMBER_BYTES)).readUInt32LE(0);
            if (nameBytes > MAX_NAME_BYTES) throw new RangeError('a bundle holds a name that is too long');
            // The name ends with a NUL byte and is followed by mode and size.
            const head = await readBytes(file, at + NUMBER_BYTES, nameBytes + 1 + NUMBER_BYTES + 8);
            const size = Number(head.readBigUInt64LE(nameBytes + 1 + NUMBER_BYTES));
            const start = at + NUMBER_BYTES + head.length;
            if (start + size > end) throw new RangeError('a bundle ends in the middle of a file');
            yield {
                name: head.toString('utf8', 0, nameBytes),
                size,
                copyTo: (to) => copyRange(file, start, size, to),
            };
            at = start + size;
        }
    } finally {
        await file.close();
    }
}

async function readBytes(file: FileHandle, at: number, length: number): Promise<Buffer> {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
    if (bytesRead < length) throw new RangeError('a bundle ends in the middle of a header');
    return buffer;
}

const PIECE_BYTES = 1024 * 1024;

async function copyRange(file: FileHandle, start: number, size: number, to: string): Promise<void> {
    const target = await open(to, 'wx', 0o600);
    try {
        const piece = Buffer.alloc(Math.min(size, PIECE_BYTES));
        for (let done = 0; done < size; ) {
            const { bytesRead } = await file.read(
                piece,
                0,
                Math.min(piece.length, size - done),
                start + done,
            );
            if (bytesRead === 0) throw new RangeError('a bundle ends in the middle of a file');
            await target.writeFile(piece.subarray(0, bytesRead));
            done += bytesRead;
        }
    } finally {
        await target.close();
    }
}

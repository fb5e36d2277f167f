import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { openFile } from './open-file.js';

const PIECE = 256 * 1024;

/**
 * SHA-256 (hex) of `size` bytes of a file from `start`.
 * @param onPiece receives each piece on the way; its memory is reused afterwards
 * @throws Error if the file ends early
 */
export async function hashRange(
    handle: FileHandle,
    start: number,
    size: number,
    onPiece?: (piece: Buffer) => Promise<void>,
): Promise<string> {
    const hash = createHash('sha256');
    const buffer = Buffer.alloc(Math.min(size, PIECE));
    for (let done = 0; done < size; ) {
        const wanted = Math.min(buffer.length, size - done);
        const { bytesRead } = await handle.read(buffer, 0, wanted, start + done);
        if (bytesRead === 0) throw new Error(`it ends after ${start + done} of ${start + size} bytes`);
        const piece = buffer.subarray(0, bytesRead);
        hash.update(piece);
        await onPiece?.(piece);
        done += bytesRead;
    }
    return hash.digest('hex');
}

/** Size and SHA-256 (hex) of a file. @throws NotAFileError, or the system's error */
export async function hashFile(path: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
    const handle = await openFile(path);
    try {
        const { size } = await handle.stat();
        return { bytes: size, sha256: await hashRange(handle, 0, size) };
    } finally {
        await handle.close();
    }
}

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { hashRange } from '../../host/hash-file.js';
import { openFile } from '../../host/open-file.js';

/** A file to be put into a tar. */
export interface TarInput {
    /** Name inside the tar. */
    readonly name: string;
    readonly path: string;
    readonly size: number;
    /** Milliseconds since 1970. */
    readonly modified: number;
}

/** Where a file's bytes stand in a tar, and what they are. */
export interface TarContent {
    readonly offset: number;
    readonly size: number;
    readonly sha256: string;
}

/** Writes an uncompressed tar (its files can be read one by one), all bytes, fsynced. */
export async function writeTar(path: string, files: readonly TarInput[]): Promise<void> {
    const tar = pack();
    const written = pipeline(tar, createWriteStream(path, { flags: 'wx', flush: true }));
    const added = addAll(tar, files).catch((error: unknown) => {
        tar.destroy(error instanceof Error ? error : new Error(String(error)));
        throw error;
    });
    const [writing, adding] = await Promise.allSettled([written, added]);
    if (adding.status === 'rejected') throw adding.reason;
    if (writing.status === 'rejected') throw writing.reason;
}

async function addAll(tar: ReturnType<typeof pack>, files: readonly TarInput[]): Promise<void> {
    for (const { name, path, size, modified } of files) {
        const entry = tar.entry({ name, size, mtime: new Date(modified), mode: 0o644 });
        const ended = once(entry, 'finish');
        const file = await openFile(path);
        await pipeline(file.createReadStream({ start: 0, end: Math.max(0, size - 1) }), entry);
        await ended;
    }
    tar.finalize();
}

const BLOCK = 512;

/**
 * Reads a tar of ours back: each file's place and hash, in order.
 * @throws Error if it is not whole
 */
export async function readTarContents(path: string): Promise<TarContent[]> {
    const handle = await openFile(path);
    try {
        const contents: TarContent[] = [];
        const header = Buffer.alloc(BLOCK);
        for (let at = 0; ; ) {
            const { bytesRead } = await handle.read(header, 0, BLOCK, at);
            if (bytesRead < BLOCK) throw new Error(`${path} ends in the middle, at byte ${at}`);
            if (header.every((byte) => byte === 0)) return contents;
            const size = Number.parseInt(header.toString('latin1', 124, 136), 8);
            if (!Number.isSafeInteger(size)) throw new Error(`${path} has a damaged header at byte ${at}`);
            const type = header.toString('latin1', 156, 157);
            const offset = at + BLOCK;
            // Others are extended headers (long names) of the file that follows.
            if (type === '0' || type === '\0') {
                contents.push({ offset, size, sha256: await hashRange(handle, offset, size) });
            }
            at = offset + Math.ceil(size / BLOCK) * BLOCK;
        }
    } finally {
        await handle.close();
    }
}

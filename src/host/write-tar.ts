import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { openFile } from './open-file.js';

/** A file to be put into a tar. */
export interface TarInput {
    /** Name inside the tar. */
    readonly name: string;
    readonly path: string;
    readonly size: number;
    /** Milliseconds since 1970. */
    readonly modified: number;
    /** Absent: 0644. */
    readonly mode?: number;
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
    for (const { name, path, size, modified, mode = 0o644 } of files) {
        const entry = tar.entry({ name, size, mtime: new Date(modified), mode });
        const ended = once(entry, 'finish');
        const file = await openFile(path);
        await pipeline(file.createReadStream({ start: 0, end: Math.max(0, size - 1) }), entry);
        await ended;
    }
    tar.finalize();
}

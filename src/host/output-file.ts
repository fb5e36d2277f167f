import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { getIoCode, describeIoError } from '../util/io-error.js';
import { escapeJson } from '../util/printable.js';
import { makeDirectory, syncDirectory } from './durable-write.js';
import { makeHolderId, makeStagingName } from './staging-name.js';
import { WriteError } from './write-error.js';

/**
 * Creates a file that the user asked for: under another name first, synced, then renamed, so that readers see the old file or the
 * whole new one.
 * @param make writes the file at the path that it is given
 * @throws WriteError (exit 4), and whatever else `make` throws
 */
export async function makeOutputFile(path: string, make: (staging: string) => Promise<void>): Promise<void> {
    const folder = dirname(path);
    const staging = join(folder, makeStagingName(basename(path), makeHolderId()));
    try {
        await makeDirectory(folder);
        await make(staging);
        const handle = await open(staging, 'r+');
        try {
            await handle.sync();
        } finally {
            await handle.close();
        }
        await rename(staging, path);
        await syncDirectory(folder);
    } catch (error) {
        await rm(staging, { force: true }).catch(() => undefined);
        throw asWriteError(path, error);
    }
}

/** A system error of the write becomes a WriteError; other errors stay as they are. */
const asWriteError = (path: string, error: unknown): unknown =>
    getIoCode(error)?.startsWith('E') === true
        ? new WriteError(path, describeIoError(error), { cause: error })
        : error;

/**
 * Writes text to a file of a scratch folder: not durably, since it is not needed after this command.
 * @throws WriteError (exit 4), and whatever `text` throws
 */
export async function writeScratchText(path: string, text: AsyncIterable<string>): Promise<void> {
    try {
        await makeDirectory(dirname(path));
        await pipeline(text, createWriteStream(path, { flags: 'wx' }));
    } catch (error) {
        throw asWriteError(path, error);
    }
}

/**
 * Writes text to a file, or to stdout at the pace of its reader; what stdout does not take is not an error of this function.
 * @param path null: stdout
 * @throws WriteError (exit 4) for a file, and whatever `text` throws
 */
export async function writeText(
    path: string | null,
    text: Iterable<string> | AsyncIterable<string>,
): Promise<void> {
    const source = (pieces: Iterable<string> | AsyncIterable<string>): Readable =>
        Readable.from(pieces, { objectMode: false, highWaterMark: 256 * 1024 });
    if (path !== null) {
        await makeOutputFile(path, (staging) =>
            pipeline(source(text), createWriteStream(staging, { flags: 'wx' })),
        );
        return;
    }
    let stdoutError: unknown = null;
    const onError = (error: unknown): void => {
        stdoutError = error;
    };
    process.stdout.on('error', onError);
    try {
        await pipeline(source(escapePieces(text)), process.stdout, { end: false });
    } catch (error) {
        // Whoever listens to stdout for the whole program reports that it takes no more, and chooses the exit code.
        if (error !== stdoutError && getIoCode(error) !== 'EPIPE') throw error;
    } finally {
        process.stdout.off('error', onError);
    }
}

/** Among machine-readable formats only JSON needs this: the writers of the others leave no control characters. */
async function* escapePieces(text: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string> {
    for await (const piece of text) yield escapeJson(piece);
}

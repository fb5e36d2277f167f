import { type BigIntStats, closeSync, fstatSync } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileStamp } from '../model/file-stamp.js';
import { getIoCode, describeIoError, withDescriptors } from '../util/io-error.js';
import { CommitCalls, openDescriptor, syncDescriptor } from './file-calls.js';
import { makeStagingName } from './staging-name.js';
import { makeStamp } from './stamp.js';
import { WriteError } from './write-error.js';

/**
 * The commit protocol of docs/crash-safety.md for the files of one directory: staging file, fsync, size check, rename,
 * fsync of the directory. A reader sees the old file or the new one, whole, whenever the machine stops.
 */
export class DurableWriter {
    readonly #dir: string;
    readonly #holder: string;
    readonly #sync: DirectorySync;
    readonly #calls: CommitCalls;

    /** @param holder id of the run (see staging-name.ts), by which a later start recognises what this one left behind */
    constructor(dir: string, holder: string) {
        this.#dir = dir;
        this.#holder = holder;
        this.#calls = new CommitCalls(dir);
        this.#sync = new DirectorySync(dir, this.#calls);
    }

    /**
     * Replaces `file` (a name in the directory) by `chunks`; resolves when that is durable.
     * @param mode permissions, for files that are written once per start (run.json); absent: the process's default for new files
     * @throws WriteError; the old file is intact, and the bytes must be written again from memory, to a new staging file: after a
     * failed fsync the same file may claim success with its data gone
     */
    async write(file: string, chunks: readonly Buffer[], mode?: number): Promise<FileStamp> {
        const target = join(this.#dir, file);
        try {
            const stamp = await withDescriptors(() => this.#replace(file, target, { chunks, mode }));
            await this.#sync.sync();
            return stamp;
        } catch (error) {
            if (error instanceof WriteError) throw error;
            throw new WriteError(target, describeIoError(error), { cause: error });
        }
    }

    async #replace(
        file: string,
        target: string,
        { chunks, mode }: { readonly chunks: readonly Buffer[]; readonly mode: number | undefined },
    ): Promise<FileStamp> {
        const staging = join(this.#dir, makeStagingName(file, this.#holder));
        try {
            const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
            const stats = await (mode === undefined
                ? this.#writeStaging(staging, chunks, size)
                : writeWithMode(staging, chunks, mode));
            // A write may end early without an error: write-file-atomic does not check, and a full disk leaves half a file.
            if (stats.size !== BigInt(size)) {
                throw new WriteError(
                    target,
                    `only ${stats.size} of ${size} bytes could be written: the disk is full, or a limit or quota is reached; ` +
                        'the old file stands',
                );
            }
            await this.#renameOver(staging, target, stats);
            return makeStamp(stats);
        } catch (error) {
            await rm(staging, { force: true }).catch(() => undefined);
            throw error;
        }
    }

    /** Writes and fsyncs a new file. @returns the stats of what is on disk, which may be less than `chunks` */
    async #writeStaging(staging: string, chunks: readonly Buffer[], size: number): Promise<BigIntStats> {
        // Result files are written by the thousand: this takes 5 system calls, write-file-atomic 14.
        const file = await this.#calls.create(staging, size);
        try {
            for (const piece of splitIntoPieces(chunks)) await this.#writeAll(file, piece, size);
            await syncDescriptor(file);
            // For an open file that was just synced, the system answers this without asking the disk.
            return fstatSync(file, { bigint: true });
        } finally {
            // Everything has been written: a failed close loses nothing.
            closeSync(file);
        }
    }

    /** A call may write less than it was given; the next one reports the reason, if there is one. */
    async #writeAll(file: number, piece: Buffer[], size: number): Promise<void> {
        let left = piece;
        while (left.length > 0) {
            const bytesWritten = await this.#calls.write(file, left, size);
            // Never seen in practice; the size check finds what is missing.
            if (bytesWritten === 0) return;
            left = dropBytes(left, bytesWritten);
        }
    }

    /** A rename over a network may have happened even though it returned an error: what is there now decides. */
    async #renameOver(staging: string, target: string, { ino, size }: BigIntStats): Promise<void> {
        try {
            await this.#calls.rename(staging, target, Number(size));
        } catch (error) {
            const there = await stat(target, { bigint: true }).catch(() => null);
            if (there?.ino !== ino) throw error;
        }
    }

    /** Resolves when every rename made in the directory before this call is durable. */
    sync(): Promise<void> {
        return this.#sync.sync();
    }
}

/** The same for files whose permissions matter. */
async function writeWithMode(staging: string, chunks: readonly Buffer[], mode: number): Promise<BigIntStats> {
    const { default: writeFileAtomic } = await import('write-file-atomic');
    await writeFileAtomic(staging, Buffer.concat(chunks), { mode });
    return stat(staging, { bigint: true });
}

/** Most chunks of one write call, and the bytes after which another call is made. */
const PIECE_CHUNKS = 512;
const PIECE_BYTES = 4 * 1024 * 1024;

function* splitIntoPieces(chunks: readonly Buffer[]): Generator<Buffer[]> {
    let piece: Buffer[] = [];
    let size = 0;
    for (const chunk of chunks) {
        piece.push(chunk);
        size += chunk.length;
        if (size < PIECE_BYTES && piece.length < PIECE_CHUNKS) continue;
        yield piece;
        piece = [];
        size = 0;
    }
    if (piece.length > 0) yield piece;
}

/** The rest of some buffers after their first `bytes`. */
function dropBytes(buffers: readonly Buffer[], bytes: number): Buffer[] {
    let skip = bytes;
    let first = 0;
    while (first < buffers.length && skip >= (buffers[first]?.length ?? 0)) {
        skip -= buffers[first]?.length ?? 0;
        first += 1;
    }
    const left = buffers.slice(first);
    if (skip > 0 && left[0] !== undefined) left[0] = left[0].subarray(skip);
    return left;
}

/** fsync of a directory; one call serves every rename made before it started, so that a burst of commits shares it. */
export class DirectorySync {
    readonly #calls: CommitCalls;
    #running: Promise<void> | null = null;
    #next: Promise<void> | null = null;

    constructor(dir: string, calls = new CommitCalls(dir)) {
        this.#calls = calls;
    }

    sync(): Promise<void> {
        // A sync in progress may have started before the caller's rename, so the caller needs one that has not started yet.
        this.#next ??= this.#startAfter(this.#running);
        return this.#next;
    }

    async #startAfter(running: Promise<void> | null): Promise<void> {
        await running?.catch(() => undefined);
        const own = this.#next;
        this.#next = null;
        this.#running = own;
        try {
            await syncFolder(() => this.#calls.openFolder());
        } finally {
            if (this.#running === own) this.#running = null;
        }
    }
}

/** Makes everything created, renamed or removed in a directory durable. */
export function syncDirectory(dir: string): Promise<void> {
    return syncFolder(() => openDescriptor(dir, 'r'));
}

async function syncFolder(openFolder: () => number | Promise<number>): Promise<void> {
    // Windows neither needs nor allows it.
    if (process.platform === 'win32') return;
    const folder = await withDescriptors(async () => openFolder());
    try {
        await syncDescriptor(folder);
    } catch (error) {
        // Some network and FUSE file systems have no fsync for directories; there, the rename itself is the guarantee.
        if (getIoCode(error) !== 'EINVAL' && getIoCode(error) !== 'ENOTSUP') throw error;
    } finally {
        closeSync(folder);
    }
}

/** Makes a directory and its parents, durably; does nothing if it exists. */
export async function makeDirectory(dir: string): Promise<void> {
    // Not mkdir's own `recursive`, which answers ENOENT on a full disk.
    try {
        await mkdir(dir);
    } catch (error) {
        if (await isDirectory(dir)) return;
        if (getIoCode(error) !== 'ENOENT' || dirname(dir) === dir) throw error;
        await makeDirectory(dirname(dir));
        await mkdir(dir).catch(async (again: unknown) => {
            if (!(await isDirectory(dir))) throw again;
        });
    }
    await syncDirectory(dirname(dir));
}

async function isDirectory(path: string): Promise<boolean> {
    return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describeIoError, withDescriptors } from '../util/io-error.js';
import { DirectorySync, makeDirectory } from './durable-write.js';
import { hashFile, hashRange } from './hash-file.js';
import { openFile } from './open-file.js';
import { makeStagingName } from './staging-name.js';
import { WriteError } from './write-error.js';

/** A file of a `ContentFolder`. */
export interface ContentFile {
    /** SHA-256 of its bytes, 64 hex digits; also its name. */
    readonly sha256: string;
    readonly bytes: number;
}

/**
 * A folder of files named by the SHA-256 of their content. Equal contents share a file. Several processes may add to it at once:
 * each writes under a temporary name of its own first, and a rename puts the whole file in place.
 */
export class ContentFolder {
    readonly #dir: string;
    readonly #holder: string;
    readonly #sync: DirectorySync;
    #isMade = false;

    /**
     * @param dir made on first use
     * @param holder id of the run (see staging-name.ts), by which a later start recognises what this one left behind
     */
    constructor(dir: string, holder: string) {
        this.#dir = dir;
        this.#holder = holder;
        this.#sync = new DirectorySync(dir);
    }

    /**
     * Adds a content, or the first `max` bytes of a file; resolves when it is durable. Holds no more of it in memory than it was
     * given.
     * @throws WriteError if it could not be written; what `openFile` throws if the source cannot be read
     */
    async add(
        content: Buffer | { readonly path: string },
        max = Number.POSITIVE_INFINITY,
    ): Promise<ContentFile> {
        if (Buffer.isBuffer(content)) {
            const sha256 = createHash('sha256').update(content).digest('hex');
            const file = { sha256, bytes: content.length };
            await this.#put(file, async (handle) => {
                await handle.writeFile(content);
                return sha256;
            });
            return file;
        }
        const source = await openFile(content.path);
        try {
            const bytes = Math.min((await source.stat()).size, max);
            const file = { sha256: await hashRange(source, 0, bytes), bytes };
            await this.#put(file, (handle) =>
                hashRange(source, 0, bytes, (piece) => handle.writeFile(piece)),
            );
            return file;
        } finally {
            await source.close();
        }
    }

    async #put(file: ContentFile, write: (handle: FileHandle) => Promise<string>): Promise<void> {
        const target = join(this.#dir, file.sha256);
        try {
            if (!this.#isMade) await makeDirectory(this.#dir);
            this.#isMade = true;
            // Its writer may have been killed before it was durable.
            if (await isThere(target, file)) await syncFile(target);
            else await withDescriptors(() => this.#write(target, file, write));
            await this.#sync.sync();
        } catch (error) {
            throw error instanceof WriteError
                ? error
                : new WriteError(target, describeIoError(error), { cause: error });
        }
    }

    async #write(
        target: string,
        { sha256, bytes }: ContentFile,
        write: (handle: FileHandle) => Promise<string>,
    ): Promise<void> {
        const staging = join(this.#dir, makeStagingName(sha256, this.#holder));
        try {
            const handle = await open(staging, 'wx');
            try {
                const written = await write(handle);
                const { size } = await handle.stat();
                if (written !== sha256 || size !== bytes) {
                    throw new WriteError(target, `${size} bytes were written instead of ${bytes}`);
                }
                await handle.sync();
            } finally {
                await handle.close();
            }
            await rename(staging, target);
        } catch (error) {
            await rm(staging, { force: true }).catch(() => undefined);
            throw error;
        }
    }
}

/** Whether the file holds what its name says: a damaged one is written again. */
async function isThere(path: string, { sha256, bytes }: ContentFile): Promise<boolean> {
    const there = await hashFile(path).catch(() => null);
    return there !== null && there.bytes === bytes && there.sha256 === sha256;
}

async function syncFile(path: string): Promise<void> {
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
        await handle.sync();
    } finally {
        await handle.close();
    }
}

import { type FileHandle, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openFile } from '../../host/open-file.js';
import { getIoCode, describeIoError } from '../../util/io-error.js';
import { WriteError } from '../../host/write-error.js';

/** Number of copies that are kept. Samples are handed out in order, so a second copy is enough for those still running. */
const MAX_KEPT = 2;

/**
 * Unpacked copies of dataset content, in scratch files. They are made one at a time, and the least recently used ones are
 * removed.
 */
export class ScratchCopies {
    /** Paths by key, least recently used first. */
    readonly #copies = new Map<string, string>();
    #queue: Promise<unknown> = Promise.resolve();
    #made = 0;

    /** @param folder creates the folder for the copies when the first one is needed */
    constructor(private readonly folder: () => Promise<string>) {}

    /**
     * Opens the copy for this key, making it first if necessary. The caller closes the handle, which outlives the copy.
     * @param make writes the copy to the given path
     * @throws WriteError (exit 4) if the scratch folder is full, and anything else that `make` throws
     */
    async open(key: string, make: (path: string) => Promise<void>): Promise<FileHandle> {
        const path = this.#use(key);
        if (path !== null) {
            try {
                return await openFile(path);
            } catch (error) {
                // It was removed for a newer copy in the meantime.
                if (getIoCode(error) !== 'ENOENT') throw error;
            }
        }
        const opening = this.#queue.then(async () =>
            openFile(this.#use(key) ?? (await this.#make(key, make))),
        );
        this.#queue = opening.catch(() => undefined);
        return opening;
    }

    /** The path of a copy, which is marked as used. */
    #use(key: string): string | null {
        const path = this.#copies.get(key);
        if (path === undefined) return null;
        this.#copies.delete(key);
        this.#copies.set(key, path);
        return path;
    }

    async #make(key: string, make: (path: string) => Promise<void>): Promise<string> {
        const path = join(await this.folder(), `rows-${this.#made++}.jsonl`);
        try {
            await make(path);
        } catch (error) {
            await rm(path, { force: true }).catch(() => undefined);
            const code = getIoCode(error);
            const isFull = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
            throw isFull ? new WriteError(path, describeIoError(error), { cause: error }) : error;
        }
        this.#copies.set(key, path);
        for (const [oldest, removed] of this.#copies) {
            if (this.#copies.size <= MAX_KEPT) break;
            this.#copies.delete(oldest);
            await rm(removed, { force: true }).catch(() => undefined);
        }
        return path;
    }
}

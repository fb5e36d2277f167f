import { constants } from 'node:fs';
import { copyFile, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DirectorySync, makeDirectory, syncDirectory } from '../../host/durable-write.js';
import { makeStagingName } from '../../host/staging-name.js';
import { stampFile } from '../../host/stamp.js';
import { WriteError } from '../../host/write-error.js';
import type { SupersededEntry } from '../../model/checkpoint.js';
import { describeIoError, withDescriptors } from '../../util/io-error.js';
import { serializeOnOneLine } from './serialize.js';

export const SUPERSEDED = 'superseded.jsonl';
export const EARLIER = 'earlier';

/**
 * Keeps what a rewrite would lose: replaced entries in superseded.jsonl, the earlier tools' files in earlier/. Durable
 * before the rewrite starts; a crash in between leaves an entry in both places, never in none.
 */
export class OldResults {
    readonly #dir: string;
    readonly #holder: string;
    readonly #sync: DirectorySync;
    #started = false;
    /**
     * Appends wait for each other: lines must not mix, and the first append, or the first after a failure, must repair a torn
     * last line.
     */
    #last: Promise<void> = Promise.resolve();

    /** @param dir `checkpoints/<dir name>` */
    constructor(dir: string, holder: string) {
        this.#dir = dir;
        this.#holder = holder;
        this.#sync = new DirectorySync(dir);
    }

    /** @throws WriteError */
    async append(sample: string, entries: readonly SupersededEntry[]): Promise<void> {
        if (entries.length === 0) return;
        const at = new Date().toISOString();
        const lines = entries.map(({ group, reason, stored }) =>
            Buffer.from(`${serializeOnOneLine({ sample, group, reason, at, entry: stored.entry })}\n`),
        );
        const turn = this.#last.catch(() => undefined).then(() => this.#write(Buffer.concat(lines)));
        this.#last = turn;
        await turn;
    }

    async #write(bytes: Buffer): Promise<void> {
        const path = join(this.#dir, SUPERSEDED);
        try {
            if (!this.#started) await makeDirectory(this.#dir);
            const handle = await withDescriptors(() => open(path, 'a+'));
            try {
                const stats = await handle.stat();
                if (!stats.isFile()) throw new WriteError(path, 'something that is not a file stands there');
                const { size } = stats;
                const torn = !this.#started && size > 0 && (await readLastByte(handle, size)) !== 0x0a;
                if (torn) await handle.writeFile('\n');
                await handle.writeFile(bytes);
                await handle.sync();
            } finally {
                await handle.close();
            }
            if (!this.#started) await this.#sync.sync();
            this.#started = true;
        } catch (error) {
            // The failed append may have left half a line.
            this.#started = false;
            if (error instanceof WriteError) throw error;
            throw new WriteError(path, describeIoError(error), { cause: error });
        }
    }

    /** Copies the earlier tools' file. @throws WriteError */
    async keepEarlier(source: string, name: string): Promise<void> {
        const dir = join(this.#dir, EARLIER);
        const target = join(dir, name);
        try {
            await makeDirectory(dir);
            const there = stampFile(target);
            // Copied by a start that was killed before its first rewrite.
            if (there !== null && there.size === stampFile(source)?.size) return;
            await this.#copy(source, dir, there === null ? name : `${name}.${Date.now()}`);
        } catch (error) {
            throw new WriteError(target, describeIoError(error), { cause: error });
        }
    }

    async #copy(source: string, dir: string, name: string): Promise<void> {
        const staging = join(dir, makeStagingName(name, this.#holder));
        try {
            await copyFile(source, staging, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
            const handle = await withDescriptors(() => open(staging, 'r+'));
            try {
                await handle.sync();
            } finally {
                await handle.close();
            }
            await rename(staging, join(dir, name));
            await syncDirectory(dir);
        } catch (error) {
            await rm(staging, { force: true }).catch(() => undefined);
            throw error;
        }
    }
}

async function readLastByte(
    handle: Awaited<ReturnType<typeof open>>,
    size: number,
): Promise<number | undefined> {
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0];
}

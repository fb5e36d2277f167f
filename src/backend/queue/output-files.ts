import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { ContentFolder } from '../../host/content-folder.js';
import { WriteError } from '../../host/write-error.js';
import type { OutputFile } from '../../model/entry.js';
import { listOutputFiles, makeOutputPath, OUTPUTS_FOLDER } from '../../model/output-file.js';
import type { Served } from '../../model/task.js';
import { getMessage } from '../../util/message.js';
import type { RunKeys } from './keys.js';
import { RUN_TTL_S } from './messages.js';

/*
 * Output that is too long for an answer, or is not text, is in files of the worker. They are sent in pieces, each under its own
 * key, and are in the results directory before the run learns that the task has ended. The pieces stay until the commit is on
 * disk, so that if a coordinator is killed in between, the next one finds them.
 */

type Outcome = Served['outcome'];

/** Bytes per piece. */
const PIECE = 4 * 1024 * 1024;

/** Maximum bytes of files that one worker has in Redis at once, for one run; a larger file is sent alone. */
const WAITING_BOUND = 256 * 1024 * 1024;

/** Bytes of sent files that a worker keeps on its disk: the next task may have found the same output there and refer to it. */
const KEPT_ON_DISK = 256 * 1024 * 1024;

/** Milliseconds between two checks for room. */
const ROOM_LOOK_MS = 500;

/** The output files that an outcome refers to, each once. */
export function findOutputFiles(outcome: Outcome): readonly OutputFile[] {
    const noted =
        outcome.kind === 'verdict'
            ? { result: outcome.result }
            : outcome.kind === 'failure' && outcome.run !== undefined
              ? { attempts: [{ run_result: outcome.run }] }
              : {};
    return [...new Map([...listOutputFiles(noted)].map((file) => [file.sha256, file])).values()];
}

const countPieces = (bytes: number): number => Math.ceil(bytes / PIECE);

const listKeys = (keys: RunKeys, name: string, { sha256, bytes }: OutputFile): string[] =>
    Array.from({ length: countPieces(bytes) }, (_, at) => keys.output(name, sha256, at));

/** The worker's side. */
export class OutputSender {
    /** Files that may still be in Redis: bytes by the key that is removed last. */
    readonly #waiting = new Map<string, number>();
    /** Bytes of the sent files on this disk, least recently used first. */
    readonly #onDisk = new Map<string, number>();

    /** @param folder absolute; the files are in its `.outputs` */
    constructor(
        private readonly client: Redis,
        private readonly keys: RunKeys,
        private readonly folder: string,
    ) {}

    /**
     * Puts the files of an outcome into Redis.
     * @param name name of the answer that they belong to
     * @param isWanted returning false ends the wait for room
     * @returns false if they are no longer wanted, or a file is gone and the task must run again
     */
    async send(name: string, files: readonly OutputFile[], isWanted: () => boolean): Promise<boolean> {
        for (const file of files) {
            const keys = listKeys(this.keys, name, file);
            const last = keys.at(-1);
            if (last === undefined) continue;
            if (!(await this.#waitForRoom(file.bytes, isWanted))) return false;
            this.#waiting.set(last, file.bytes);
            if (!(await this.#sendFile(file, keys, isWanted))) {
                await this.client.unlink(keys).catch(() => 0);
                return false;
            }
        }
        return true;
    }

    async #sendFile(file: OutputFile, keys: readonly string[], isWanted: () => boolean): Promise<boolean> {
        const handle = await open(join(this.folder, makeOutputPath(file.sha256))).catch(() => null);
        if (handle === null) return false;
        try {
            for (const [at, key] of keys.entries()) {
                const length = Math.min(PIECE, file.bytes - at * PIECE);
                const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at * PIECE);
                if (bytesRead !== length || !(await this.#put(key, buffer, isWanted))) return false;
            }
        } finally {
            await handle.close();
        }
        await this.#forget(file);
        return true;
    }

    /** While Redis is out of memory, retries until the coordinator has taken some of the data. */
    async #put(key: string, piece: Buffer, isWanted: () => boolean): Promise<boolean> {
        while (isWanted()) {
            try {
                await this.client.setex(key, RUN_TTL_S, piece);
                return true;
            } catch (error) {
                if (!getMessage(error).startsWith('OOM')) throw error;
                await new Promise((resolve) => setTimeout(resolve, ROOM_LOOK_MS));
            }
        }
        return false;
    }

    async #waitForRoom(bytes: number, isWanted: () => boolean): Promise<boolean> {
        while (isWanted()) {
            const sum = [...this.#waiting.values()].reduce((total, one) => total + one, 0);
            if (sum === 0 || sum + bytes <= WAITING_BOUND) return true;
            for (const key of this.#waiting.keys()) {
                if ((await this.client.exists(key)) === 0) this.#waiting.delete(key);
            }
            if (this.#waiting.size > 0) await new Promise((resolve) => setTimeout(resolve, ROOM_LOOK_MS));
        }
        return false;
    }

    async #forget({ sha256, bytes }: OutputFile): Promise<void> {
        this.#onDisk.delete(sha256);
        this.#onDisk.set(sha256, bytes);
        let sum = [...this.#onDisk.values()].reduce((total, one) => total + one, 0);
        for (const [oldest, size] of this.#onDisk) {
            if (sum <= KEPT_ON_DISK) return;
            sum -= size;
            this.#onDisk.delete(oldest);
            await rm(join(this.folder, makeOutputPath(oldest)), { force: true });
        }
    }
}

/** Where a coordinator keeps output files. */
export interface OutputPlace {
    /** Absolute path of the results directory. */
    readonly dir: string;
    /** Used in the names of this run's temporary files. */
    readonly holder: string;
    /** Maximum bytes of one file. */
    readonly limit: number;
}

/** The coordinator's side. */
export class OutputReceiver {
    readonly #folder: ContentFolder;
    readonly #limit: number;
    /** Keeps only one file in memory at a time. */
    #turn: Promise<unknown> = Promise.resolve();

    constructor(
        private readonly client: Redis,
        private readonly keys: RunKeys,
        { dir, holder, limit }: OutputPlace,
    ) {
        this.#folder = new ContentFolder(join(dir, OUTPUTS_FOLDER), holder);
        this.#limit = limit;
    }

    /**
     * Saves the files of an answer durably on this machine.
     * @returns keys to remove after the commit; or the write error, as if the task had run here
     * @throws Error if a file is incomplete, damaged or too large
     */
    async receive(
        name: string,
        files: readonly OutputFile[],
    ): Promise<readonly string[] | Extract<Outcome, { readonly kind: 'unwritable' }>> {
        const received: string[] = [];
        for (const file of files) {
            const turn = this.#turn.then(() => this.#receiveFile(name, file));
            this.#turn = turn.catch(() => {});
            const end = await turn;
            if (end !== null) return end;
            received.push(...listKeys(this.keys, name, file));
        }
        return received;
    }

    async #receiveFile(
        name: string,
        file: OutputFile,
    ): Promise<Extract<Outcome, { readonly kind: 'unwritable' }> | null> {
        const { sha256, bytes, path } = file;
        if (!Number.isSafeInteger(bytes) || bytes < 0 || bytes > this.#limit)
            throw new Error(`it has an output file of ${bytes} bytes, and --output-limit is ${this.#limit}`);
        if (path !== makeOutputPath(sha256))
            throw new Error('it refers to an output file with an unexpected path');
        const pieces: Buffer[] = [];
        for (const key of listKeys(this.keys, name, file)) {
            const piece = await this.client.getBuffer(key);
            if (piece === null) throw new Error('one of its output files is no longer in Redis');
            pieces.push(piece);
        }
        try {
            const kept = await this.#folder.add(Buffer.concat(pieces));
            if (kept.sha256 === sha256 && kept.bytes === bytes) return null;
        } catch (error) {
            if (!(error instanceof WriteError)) throw error;
            return { kind: 'unwritable', file: error.file, why: error.why };
        }
        throw new Error('one of its output files is damaged');
    }
}

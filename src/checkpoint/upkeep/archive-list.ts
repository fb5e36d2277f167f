import { join, relative, resolve } from 'node:path';
import { DurableWriter, makeDirectory } from '../../host/durable-write.js';
import { hashRange } from '../../host/hash-file.js';
import { openFile, readTextFile } from '../../host/open-file.js';
import { stampFile } from '../../host/stamp.js';
import type { FileStamp } from '../../model/checkpoint.js';
import { isJsonObject, type Json } from '../../model/json.js';
import { getIoCode, readReason } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import { type ParsedResultFile, parseCheckpoint } from '../result-file/parse.js';
import { readEmbedded } from '../result-file/read-file.js';

/*
 * checkpoints/<dir>/archive.json: which result files were moved where. They count as if they were still in the results directory;
 * a file that is there again (after a re-run) takes precedence.
 *
 *     {"version": 1, "archives": [{"kind", "path", "files": [[id, name, offset, size, sha256], ...]}, ...]}
 */

export interface ArchivedFile {
    readonly id: string;
    /** Name of the result file. */
    readonly name: string;
    /** Where it starts in the tar, in bytes; 0 in a folder. */
    readonly offset: number;
    readonly size: number;
    readonly sha256: string;
}

export interface Archive {
    readonly kind: 'tar' | 'folder';
    /** Absolute. */
    readonly path: string;
    readonly files: readonly ArchivedFile[];
}

const NAME = 'archive.json';

export class ArchiveList {
    readonly #dir: string;
    readonly #archives: Archive[];
    readonly #places = new Map<string, { readonly archive: Archive; readonly file: ArchivedFile }>();
    readonly #present = new Set<Archive>();

    private constructor(dir: string, archives: readonly Archive[]) {
        this.#dir = dir;
        this.#archives = [...archives];
        for (const archive of archives) this.#register(archive);
    }

    /**
     * @param dir `checkpoints/<dir name>`
     * @throws UserError (exit 2) if archive.json is there but cannot be understood: without it, finished samples would run again
     */
    static async load(dir: string): Promise<ArchiveList> {
        const path = join(dir, NAME);
        let text: string;
        try {
            text = await readTextFile(path);
        } catch (error) {
            if (getIoCode(error) === 'ENOENT' || getIoCode(error) === 'ENOTDIR')
                return new ArchiveList(dir, []);
            throw new UserError(`cannot read ${path}: ${readReason(error)}`, 2, { cause: error });
        }
        const archives = parseArchives(text, dir);
        if (archives === null) {
            throw new UserError(
                `${path} is damaged: it says which finished samples were archived; restore it, or extract the archives ` +
                    'into the results directory and delete it',
            );
        }
        return new ArchiveList(dir, archives);
    }

    #register(archive: Archive): void {
        for (const file of archive.files) this.#places.set(file.id, { archive, file });
    }

    get size(): number {
        return this.#places.size;
    }

    ids(): Iterable<string> {
        return this.#places.keys();
    }

    get(id: string): ArchivedFile | null {
        return this.#places.get(id)?.file ?? null;
    }

    /** A stamp that stays the same while the archived content does. @throws UserError (exit 2) if the archive is gone */
    stamp(id: string): FileStamp | null {
        const place = this.#places.get(id);
        if (place === undefined) return null;
        this.#checkPresent(place.archive);
        return makeArchivedStamp(place.file);
    }

    /**
     * Reads a sample's archived results, and compares them with the SHA-256 that was stored.
     * @throws UserError (exit 2) if the archive is gone or damaged
     */
    async read(id: string): Promise<Extract<ParsedResultFile, { kind: 'checkpoint' }>['checkpoint'] | null> {
        const place = this.#places.get(id);
        if (place === undefined) return null;
        const { archive, file } = place;
        this.#checkPresent(archive);
        const path = findPathIn(archive, file);
        const isAsArchived = await hasContent(path, file);
        const raw = isAsArchived ? await readEmbedded(path, file.offset, file.size) : null;
        const parsed =
            raw === null || typeof raw === 'string'
                ? null
                : parseCheckpoint(raw, id, makeArchivedStamp(file));
        if (parsed?.kind === 'checkpoint') return parsed.checkpoint;
        throw new UserError(
            `${path} is damaged: the archived results of ${JSON.stringify(id)} cannot be read from it; ` +
                'restore it from a copy, or remove it from archive.json to run its samples again',
        );
    }

    /** Path of the tar, or of the file in a folder, that holds an archived sample; null if it is not archived. */
    findPath(id: string): string | null {
        const place = this.#places.get(id);
        return place === undefined ? null : findPathIn(place.archive, place.file);
    }

    #checkPresent(archive: Archive): void {
        if (this.#present.has(archive)) return;
        if (stampFile(archive.path) === null) {
            throw new UserError(
                `${archive.path} is missing: ${archive.files.length} finished samples were archived there; ` +
                    `put it back, or change its path in ${join(this.#dir, NAME)}`,
            );
        }
        this.#present.add(archive);
    }

    /** Adds an archive, durably. @throws WriteError */
    async add(archive: Archive, holder: string): Promise<void> {
        await makeDirectory(this.#dir);
        const archives = [...this.#archives, archive];
        const json = {
            version: 1,
            archives: archives.map(({ kind, path, files }) => ({
                kind,
                // A path inside the checkpoints directory moves with it.
                path: relative(this.#dir, path).startsWith('..') ? path : relative(this.#dir, path),
                files: files.map((file) => [file.id, file.name, file.offset, file.size, file.sha256]),
            })),
        };
        await new DurableWriter(this.#dir, holder).write(NAME, [Buffer.from(`${JSON.stringify(json)}\n`)]);
        this.#archives.push(archive);
        this.#register(archive);
    }
}

const findPathIn = (archive: Archive, file: ArchivedFile): string =>
    archive.kind === 'tar' ? archive.path : join(archive.path, file.name);

/** Whether an archived file is still what it was when it was archived. @throws UserError (exit 2) if it cannot be read */
async function hasContent(path: string, { offset, size, sha256 }: ArchivedFile): Promise<boolean> {
    try {
        const handle = await openFile(path);
        try {
            const { size: there } = await handle.stat();
            return there >= offset + size && (await hashRange(handle, offset, size)) === sha256;
        } finally {
            await handle.close();
        }
    } catch (error) {
        if (getIoCode(error) === 'ENOENT') return false;
        throw new UserError(`cannot read ${path}: ${readReason(error)}`, 2, { cause: error });
    }
}

function makeArchivedStamp(file: ArchivedFile): FileStamp {
    return { inode: `archived ${file.sha256.slice(0, 32)}`, size: file.size, mtime: '0' };
}

function parseArchives(text: string, dir: string): Archive[] | null {
    let json: Json;
    try {
        json = JSON.parse(text) as Json;
    } catch {
        return null;
    }
    if (!isJsonObject(json) || json.version !== 1 || !Array.isArray(json.archives)) return null;
    const archives = json.archives.map((item: Json) => parseArchive(item, dir));
    return archives.every((archive) => archive !== null) ? archives : null;
}

function parseArchive(json: Json, dir: string): Archive | null {
    if (!isJsonObject(json) || typeof json.path !== 'string' || !Array.isArray(json.files)) return null;
    if (json.kind !== 'tar' && json.kind !== 'folder') return null;
    const files = json.files.map(parseFile);
    if (!files.every((file) => file !== null)) return null;
    return { kind: json.kind, path: resolve(dir, json.path), files };
}

function parseFile(json: Json): ArchivedFile | null {
    if (!Array.isArray(json)) return null;
    const [id, name, offset, size, sha256] = json as unknown[];
    const isCount = (value: unknown): value is number =>
        Number.isSafeInteger(value) && (value as number) >= 0;
    if (typeof id !== 'string' || typeof name !== 'string' || typeof sha256 !== 'string') return null;
    // Accept plain names only: nothing outside the folder is read because a file names it.
    if (/[/\\\0]/.test(name) || name === '..' || !isCount(offset) || !isCount(size)) return null;
    return { id, name, offset, size, sha256 };
}

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { DurableWriter } from '../../host/durable-write.js';
import { readTextFile } from '../../host/open-file.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import { getIoCode, readReason } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import { STORAGE_FORMATS, type StorageFormat } from '../result-store.js';

export const MANIFEST = 'manifest.json';
export const PARTS = 'parts';
/** Parts that a later generation replaced; they are kept for ten more minutes for readers of the earlier one. */
export const REPLACED = 'replaced';
/** The tree in the earlier tools' format, derived from the records. */
export const MASTER = 'master_database.json';

const VERSION = 1;

/** The file that says which other files make up the database. Paths are relative to its folder and use `/`. */
export interface Manifest {
    readonly version: number;
    /** Raised by every commit and compaction. */
    readonly generation: number;
    /** Codec of new parts. */
    readonly storage: StorageFormat;
    /** ISO 8601, UTC; for people. */
    readonly created_at: string;
    readonly written_at: string;
    /** Each key is in exactly one row of one part. */
    readonly parts: readonly PartInfo[];
    /** Removed keys, each with the revision up to which it was removed, as JSON lines. */
    readonly retirements: readonly FileInfo[];
    /** Counts of earlier databases without records. */
    readonly aggregates: readonly AggregateInfo[];
}

export interface FileInfo {
    readonly path: string;
    readonly records: number;
    readonly bytes: number;
}

export interface PartInfo extends FileInfo {
    readonly codec: StorageFormat;
    /** SHA-256 of the file's bytes; set in backups, and in databases restored from one. */
    readonly sha256?: string;
}

export interface AggregateInfo {
    readonly path: string;
    readonly cells: number;
    /** Name of the earlier tool's file, and SHA-256 of its content. */
    readonly source: string;
    readonly sha256: string;
}

export function makeEmptyManifest(storage: StorageFormat): Manifest {
    const now = new Date().toISOString();
    const lists = { parts: [], retirements: [], aggregates: [] };
    return { version: VERSION, generation: 0, storage, created_at: now, written_at: now, ...lists };
}

/**
 * @param dir the database's folder
 * @returns null if there is no manifest
 * @throws UserError (exit 2) if it cannot be read
 */
export async function readManifest(dir: string): Promise<Manifest | null> {
    const path = join(dir, MANIFEST);
    let text: string;
    try {
        text = await readTextFile(path);
    } catch (error) {
        if (getIoCode(error) === 'ENOENT') return null;
        throw new UserError(`cannot read ${path}: ${readReason(error)}`, 2, { cause: error });
    }
    return parseManifest(path, text);
}

/**
 * A new file name for a manifest to refer to. It is not a running number, so that no name is ever reused, whatever a restore
 * brings back.
 */
export const makeFileName = (extension: string): string =>
    `${Date.now().toString(36)}-${randomBytes(6).toString('hex')}${extension}`;

/** @throws WriteError */
export async function writeManifest(writer: DurableWriter, manifest: Manifest): Promise<void> {
    await writer.write(MANIFEST, [Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)]);
}

function parseManifest(path: string, text: string): Manifest {
    const damaged = (why: string): UserError =>
        new UserError(
            `${path} is damaged: ${why}. The parts are untouched: restore a backup with ` +
                '`resume-run database restore`, or rebuild the database with `resume-run collect --from results`',
        );
    let json: Json;
    try {
        json = JSON.parse(text) as Json;
    } catch (error) {
        throw damaged(error instanceof Error ? error.message : String(error));
    }
    if (!isJsonObject(json)) throw damaged('expected an object');
    if (json.version !== VERSION)
        throw damaged(`expected version ${VERSION}, got ${JSON.stringify(json.version)}`);
    const list = (name: string, fits: (one: JsonObject) => boolean): void => {
        const value = json[name];
        if (
            !Array.isArray(value) ||
            !value.every((one) => isJsonObject(one) && isInside(name, one.path) && fits(one))
        )
            throw damaged(`expected a list of files in ${name}`);
        const paths = value.map((one) => (isJsonObject(one) ? one.path : null));
        const twice = paths.find((path, at) => paths.indexOf(path) !== at);
        // Its records would be counted twice.
        if (twice !== undefined) throw damaged(`it names ${JSON.stringify(twice)} twice`);
    };
    for (const name of ['created_at', 'written_at'])
        if (typeof json[name] !== 'string') throw damaged(`expected a time in ${name}`);
    if (!isCount(json.generation)) throw damaged('expected a number in generation');
    if (!isStorage(json.storage)) throw damaged(`expected json or parquet in storage`);
    list(
        'parts',
        (one) => isCount(one.records) && isCount(one.bytes) && isStorage(one.codec) && isHash(one.sha256),
    );
    list('retirements', (one) => isCount(one.records) && isCount(one.bytes));
    list(
        'aggregates',
        (one) => isCount(one.cells) && typeof one.source === 'string' && typeof one.sha256 === 'string',
    );
    return json as object as Manifest;
}

const isCount = (value: Json | undefined): value is number =>
    Number.isSafeInteger(value) && Number(value) >= 0;

const isHash = (value: Json | undefined): boolean =>
    value === undefined || (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value));

const isStorage = (value: Json | undefined): value is StorageFormat =>
    STORAGE_FORMATS.some((format) => format === value);

/** Whether a path from a manifest stays in its folder of the database: `parts/x.jsonl`, not `../x`, `/x` or `parts/y/x`. */
const isInside = (folder: string, value: Json | undefined): value is string =>
    typeof value === 'string' &&
    value.startsWith(`${folder}/`) &&
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value.slice(folder.length + 1));

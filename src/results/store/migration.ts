import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type DurableWriter, makeDirectory, syncDirectory } from '../../host/durable-write.js';
import { readTextFile } from '../../host/open-file.js';
import { isJsonObject } from '../../model/json.js';
import { getIoCode, readReason } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import { recordLine } from '../record/record.js';
import type { StorageFormat } from '../result-store.js';
import { linkOrCopy } from './copy-files.js';
import { type Manifest, PARTS, type PartInfo } from './manifest.js';
import { loadCodec, PartError } from './part-codec.js';

/*
 * A migration rewrites the parts of one codec with the other, a group at a time: each group is written, read back and compared
 * record by record before the manifest names it. If it is killed at any point, the database is complete, in both codecs, and the
 * same command continues. migration.json records the state before; the old parts stay in before-migration/ until the next
 * migration, for --rollback.
 */

export const MIGRATION = 'migration.json';
export const BEFORE_MIGRATION = 'before-migration';

/** Content of migration.json. */
export interface Migration {
    readonly version: 1;
    readonly to: StorageFormat;
    /** ISO 8601, UTC. */
    readonly started_at: string;
    readonly is_finished: boolean;
    readonly before: Pick<Manifest, 'storage' | 'parts' | 'retirements'>;
    /** Paths of the parts that it wrote. */
    readonly made: readonly string[];
}

/** @returns null if there was none. @throws UserError (exit 2) if it cannot be read */
export async function readMigration(dir: string): Promise<Migration | null> {
    const path = join(dir, MIGRATION);
    let text: string;
    try {
        text = await readTextFile(path);
    } catch (error) {
        if (getIoCode(error) === 'ENOENT') return null;
        throw new UserError(`cannot read ${path}: ${readReason(error)}`, 2, { cause: error });
    }
    const found = parseMigration(text);
    if (found === null)
        throw new UserError(
            `${path} is damaged, but the database is not; remove the file to start a new migration`,
        );
    return found;
}

function parseMigration(text: string): Migration | null {
    try {
        const json: unknown = JSON.parse(text);
        const isWhole =
            isJsonObject(json) && json.version === 1 && Array.isArray(json.made) && isJsonObject(json.before);
        const parts = isWhole && isJsonObject(json.before) ? json.before.parts : null;
        // Paths are used as file names, so only paths of parts are accepted.
        const fits = (one: unknown): boolean =>
            isJsonObject(one) &&
            typeof one.path === 'string' &&
            /^parts\/[A-Za-z0-9][A-Za-z0-9._-]*$/.test(one.path);
        return Array.isArray(parts) && parts.every(fits) ? (json as Migration) : null;
    } catch {
        return null;
    }
}

/** @throws WriteError */
export async function writeMigration(writer: DurableWriter, migration: Migration): Promise<void> {
    await writer.write(MIGRATION, [Buffer.from(`${JSON.stringify(migration, null, 2)}\n`)]);
}

/** Call this after a rollback: there is nothing left to go back to. */
export async function forgetMigration(dir: string): Promise<void> {
    await rm(join(dir, MIGRATION), { force: true });
    await rm(join(dir, BEFORE_MIGRATION), { recursive: true, force: true });
}

/** Puts every part of a manifest into before-migration/, as hard links if the file system has them. Removes an earlier backup. */
export async function backUpParts(dir: string, parts: readonly PartInfo[]): Promise<void> {
    await rm(join(dir, BEFORE_MIGRATION), { recursive: true, force: true });
    await makeDirectory(join(dir, BEFORE_MIGRATION));
    for (const { path } of parts)
        await duplicate(join(dir, path), join(dir, BEFORE_MIGRATION, basename(path)));
    await syncDirectory(join(dir, BEFORE_MIGRATION));
}

/** Restores a part from before-migration/. */
export async function bringBackPart(dir: string, { path }: PartInfo): Promise<void> {
    await duplicate(join(dir, BEFORE_MIGRATION, basename(path)), join(dir, path));
    await syncDirectory(join(dir, PARTS));
}

async function duplicate(from: string, to: string): Promise<void> {
    try {
        await linkOrCopy(from, to);
    } catch (error) {
        if (getIoCode(error) === 'ENOENT') throw new PartError(from, 'it is missing', { cause: error });
        throw error;
    }
}

/** Parts of about this many bytes in total are rewritten together. */
const GROUP_BYTES = 100 * 1024 * 1024;

export function groupParts<T extends { readonly info: PartInfo }>(
    parts: readonly T[],
): readonly (readonly T[])[] {
    const groups: T[][] = [];
    let bytes = Number.POSITIVE_INFINITY;
    for (const part of parts) {
        if (bytes + part.info.bytes > GROUP_BYTES) {
            groups.push([]);
            bytes = 0;
        }
        bytes += part.info.bytes;
        groups.at(-1)?.push(part);
    }
    return groups;
}

/**
 * Reads parts back and compares them with their sources, record by record and in order.
 * @throws PartError at the first difference
 */
export async function compareParts(
    dir: string,
    sources: readonly PartInfo[],
    targets: readonly PartInfo[],
): Promise<number> {
    const expected = linesIn(dir, sources);
    let records = 0;
    for await (const line of linesIn(dir, targets)) {
        const next = await expected.next();
        records += 1;
        if (next.done === true || next.value !== line)
            throw new PartError(
                targets.map(({ path }) => path).join(', '),
                `record ${records} did not arrive as it was: nothing was switched`,
            );
    }
    if ((await expected.next()).done !== true)
        throw new PartError(
            targets.map(({ path }) => path).join(', '),
            'records are missing: nothing was switched',
        );
    return records;
}

async function* linesIn(dir: string, parts: readonly PartInfo[]): AsyncGenerator<string, void> {
    for (const { codec, path } of parts) {
        const reader = await loadCodec(codec);
        for await (const records of reader.readRecords(join(dir, path)))
            for (const one of records) yield recordLine(one);
    }
}

/**
 * Checks that only the migration has changed the database since.
 * @throws UserError (exit 2) if anything else has: going back would lose it
 */
export function refuseRollbackOverNews(migration: Migration, manifest: Manifest): void {
    const known = new Set([...migration.made, ...migration.before.parts.map(({ path }) => path)]);
    const isSame =
        manifest.parts.every(({ path }) => known.has(path)) &&
        manifest.retirements.length === migration.before.retirements.length;
    if (isSame) return;
    throw new UserError(
        'records were collected or joined since the migration, and a rollback would lose them: ' +
            `convert all of them with \`resume-run migrate --to ${migration.before.storage}\` instead`,
    );
}

import { readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { DurableWriter, makeDirectory, syncDirectory } from '../../host/durable-write.js';
import { hashFile } from '../../host/hash-file.js';
import { listEntries } from '../../host/listing.js';
import { acquireLock, type Lock } from '../../host/lock.js';
import { makeStagingName } from '../../host/staging-name.js';
import { sweep } from '../../host/sweep.js';
import { readReason } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import { AGGREGATES } from '../aggregate/aggregate-files.js';
import { copyDurably, explainWrite, isThere, linkOrCopy, timeForName } from './copy-files.js';
import { FOLDERS } from './folders.js';
import { KEYS, readKeysOfPart, writeKeys } from './key-files.js';
import type { RecordKeys } from '../record/record-keys.js';
import {
    MANIFEST,
    MASTER,
    type Manifest,
    makeFileName,
    type PartInfo,
    REPLACED,
    readManifest,
    writeManifest,
} from './manifest.js';
import { BEFORE_MIGRATION, forgetMigration, MIGRATION } from './migration.js';
import { PartError } from './part-codec.js';
import { moveReplacedParts } from './replaced-parts.js';
import { RETIREMENTS } from './retirement-files.js';

/*
 * A restore creates a new generation, as a commit does: the backup's files are copied into the database under new names, the
 * present files are hard-linked into a folder beside it, and the rename of the manifest switches over. If it is killed at any
 * point, the database is either the old one or the backup, and concurrent readers always see a complete generation.
 */

export interface RestoreOptions {
    readonly takeOver: boolean;
    readonly onNotice: (message: string) => void;
    /** Writes the tree of the new generation, while the database's lock is held. */
    readonly writeTree: (dir: string) => Promise<void>;
}

/**
 * Replaces a database, whatever its state, with a backup.
 * @returns the backup's manifest, and the folder that keeps the replaced files; null if there were none
 * @throws UserError: exit 2 if the source is not a complete backup, 3 if another process holds the database; WriteError
 */
export async function restoreDatabase(
    dir: string,
    source: string,
    options: RestoreOptions,
): Promise<{ readonly manifest: Manifest; readonly aside: string | null }> {
    const manifest = await readManifest(source);
    if (manifest === null)
        throw new UserError(`${source} is not a backup: expected a folder with ${MANIFEST}`);
    if (await isSameFolder(source, dir)) throw new UserError(`${source} is the database itself`);
    await requireFiles(source, manifest);
    const { takeOver, onNotice, writeTree } = options;
    const hint = 'stop the collector that holds it first';
    const lock = await acquireLock({ checkpointsDir: dir, dir, shard: null, takeOver, hint, onNotice });
    try {
        return await explainWrite(dir, async () => {
            const aside = await replaceGeneration(dir, source, manifest, lock);
            await replaceTree(dir, source, lock);
            await writeTree(dir);
            return { manifest, aside };
        });
    } finally {
        await lock.release();
    }
}

async function isSameFolder(a: string, b: string): Promise<boolean> {
    const [one, other] = await Promise.all([a, b].map((path) => realpath(path).catch(() => path)));
    return one === other;
}

/** @throws UserError if a file that the manifest names is missing, or has another length than stated */
async function requireFiles(source: string, { parts, retirements, aggregates }: Manifest): Promise<void> {
    for (const file of [...parts, ...retirements, ...aggregates]) {
        const path = join(source, file.path);
        const stats = await stat(path).catch((error: unknown) => {
            throw notWhole(source, `cannot read ${path}: ${readReason(error)}`, error);
        });
        if ('bytes' in file && stats.size !== file.bytes)
            throw notWhole(source, `${path} has ${stats.size} bytes, expected ${file.bytes}`);
    }
}

const notWhole = (source: string, why: string, cause?: unknown): UserError =>
    new UserError(`${source} is not a complete backup: ${why}`, 2, { cause });

/** @returns the folder that keeps the replaced files; null if there were none */
async function replaceGeneration(
    dir: string,
    source: string,
    manifest: Manifest,
    lock: Lock,
): Promise<string | null> {
    // A damaged manifest may be the reason for the restore.
    const present = await readManifest(dir).catch(() => null);
    for (const folder of [KEYS, ...FOLDERS]) await makeDirectory(join(dir, folder));
    await sweep([dir, ...[KEYS, ...FOLDERS].map((name) => join(dir, name))], async () => new Set([lock.id]));
    const generation = Math.max(present?.generation ?? 0, manifest.generation) + 1;
    const made: string[] = [];
    let aside: string | null = null;
    try {
        const files = await copyFiles(dir, source, manifest, lock, made);
        // Keep only the previous files, not those just copied in.
        aside = await keepPresent(dir, new Set(made));
        await lock.verify();
        const written_at = new Date().toISOString();
        const next = { ...manifest, ...files, generation, written_at };
        await writeManifest(new DurableWriter(dir, lock.id), next);
        await removeOld(dir, next);
        return aside;
    } catch (error) {
        await undo(dir, generation, made, aside);
        throw error;
    }
}

type ManifestFiles = Pick<Manifest, 'parts' | 'retirements' | 'aggregates'>;

/**
 * Copies the files of a backup under new names, and stores the keys of its parts: reading them shows whether a part is complete.
 * @param made receives the paths that were written
 */
async function copyFiles(
    dir: string,
    source: string,
    manifest: Manifest,
    lock: Lock,
    made: string[],
): Promise<ManifestFiles> {
    const copyAll = async <T extends { readonly path: string }>(files: readonly T[]): Promise<T[]> => {
        const copies: T[] = [];
        for (const file of files) {
            const folder = dirname(file.path);
            const name = makeFileName(extname(file.path));
            const staging = `${folder}/${makeStagingName(name, lock.id)}`;
            const path = `${folder}/${name}`;
            made.push(staging, path);
            await copyDurably(join(source, file.path), join(dir, staging));
            await rename(join(dir, staging), join(dir, path));
            copies.push({ ...file, path });
        }
        return copies;
    };
    const parts = await copyAll(manifest.parts);
    const keyWriter = new DurableWriter(join(dir, KEYS), lock.id);
    for (const [at, part] of parts.entries()) {
        const keys = await readWholePart(source, manifest.parts[at] ?? part);
        // Readable rows may still have been altered; backups of earlier versions have no hash to check.
        if (part.sha256 !== undefined && (await hashFile(join(dir, part.path))).sha256 !== part.sha256)
            throw notWhole(
                source,
                `${manifest.parts[at]?.path ?? part.path} was changed since it was backed up`,
            );
        if (keys !== null) await writeKeys(keyWriter, part, keys);
    }
    const retirements = await copyAll(manifest.retirements);
    const aggregates = await copyAll(manifest.aggregates);
    for (const folder of FOLDERS) await syncDirectory(join(dir, folder));
    return { parts, retirements, aggregates };
}

/** The keys of a part of a backup. Null if its codec cannot be read here; then only its length is checked. */
async function readWholePart(source: string, part: PartInfo): Promise<RecordKeys | null> {
    try {
        return await readKeysOfPart(source, part);
    } catch (error) {
        if (error instanceof PartError) throw notWhole(source, error.message, error);
        if (error instanceof UserError && error.code === 'RESUME_RUN_MISSING_PACKAGE') return null;
        throw error;
    }
}

/**
 * Hard-links the present files of a database into a folder beside it.
 * @param fresh paths of files that were just copied in
 * @returns the folder; null if there are no files
 */
async function keepPresent(dir: string, fresh: ReadonlySet<string>): Promise<string | null> {
    const files = (await listContent(dir)).filter((path) => !fresh.has(path));
    if (files.length === 0) return null;
    const prefix = `${basename(dir)}.before-restore-`;
    const beside = dirname(dir);
    // Left by a restore that was killed here.
    for (const name of await readdir(beside))
        if (name.startsWith(prefix) && name.endsWith(UNFINISHED))
            await rm(join(beside, name), { recursive: true });
    const aside = await chooseFreeName(join(beside, `${prefix}${timeForName()}`));
    const unfinished = `${aside}${UNFINISHED}`;
    return await explainWrite(aside, async () => {
        try {
            for (const path of files) {
                await makeDirectory(dirname(join(unfinished, path)));
                await linkOrCopy(join(dir, path), join(unfinished, path));
            }
            for (const folder of new Set(files.map((path) => dirname(path))))
                await syncDirectory(join(unfinished, folder));
            await rename(unfinished, aside);
            await syncDirectory(beside);
            return aside;
        } catch (error) {
            await rm(unfinished, { recursive: true, force: true }).catch(() => undefined);
            throw error;
        }
    });
}

const UNFINISHED = '.unfinished';

/**
 * Files of a database other than locks and caches, as paths relative to its folder. @throws WriteError if a folder cannot be
 * listed
 */
async function listContent(dir: string): Promise<readonly string[]> {
    return await explainWrite(dir, async () => {
        const found = [];
        for (const folder of [...FOLDERS, REPLACED, BEFORE_MIGRATION])
            for (const entry of await listEntries(join(dir, folder)))
                if (entry.isFile()) found.push(`${folder}/${entry.name}`);
        // The manifest goes last: a folder without one is not a backup.
        for (const name of [MIGRATION, MASTER, MANIFEST])
            if (await isThere(join(dir, name))) found.push(name);
        return found;
    });
}

async function chooseFreeName(path: string): Promise<string> {
    for (let count = 1; ; count += 1) {
        const name = count === 1 ? path : `${path}-${count}`;
        if (!(await isThere(name))) return name;
    }
}

/** Removes what the new generation does not need. Never throws: leftover files do no harm. */
async function removeOld(dir: string, next: Manifest): Promise<void> {
    await moveReplacedParts(dir, next);
    const named = new Set([...next.retirements, ...next.aggregates].map(({ path }) => path));
    const parts = next.parts.map(({ path }) => basename(path));
    try {
        for (const folder of [RETIREMENTS, AGGREGATES])
            for (const name of await readdir(join(dir, folder)))
                if (!named.has(`${folder}/${name}`)) await rm(join(dir, folder, name));
        for (const name of await readdir(join(dir, KEYS)))
            if (!parts.some((part) => name.startsWith(`${part}.`))) await rm(join(dir, KEYS, name));
        await forgetMigration(dir);
    } catch {
        // The next restore tries again.
    }
}

/** Uses the backup's own tree until one is made from the records. If the records cannot be read here, it is the only one. */
async function replaceTree(dir: string, source: string, lock: Lock): Promise<void> {
    const staging = join(dir, makeStagingName(MASTER, lock.id));
    if (await isThere(join(source, MASTER))) {
        await copyDurably(join(source, MASTER), staging);
        await rename(staging, join(dir, MASTER));
    } else await rm(join(dir, MASTER), { force: true });
    await syncDirectory(dir);
}

/**
 * If the restore failed, removes its copies and the folder with the previous files. Never throws.
 * @param generation that was to be created
 */
async function undo(
    dir: string,
    generation: number,
    made: readonly string[],
    aside: string | null,
): Promise<void> {
    try {
        // If only syncing the folder failed after the rename, the new generation is in effect and names the copies. If the
        // manifest cannot be read, it may name them too.
        const present = await readManifest(dir);
        if (present?.generation === generation) return;
        for (const path of made) await rm(join(dir, path), { force: true });
        if (aside !== null) await rm(aside, { recursive: true, force: true });
    } catch {
        // Nothing names the remaining files.
    }
}

import { constants } from 'node:fs';
import { copyFile, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DurableWriter, makeDirectory, syncDirectory } from '../../host/durable-write.js';
import { acquireLock } from '../../host/lock.js';
import { makeHolderId } from '../../host/staging-name.js';
import { WriteError } from '../../host/write-error.js';
import { getIoCode, describeIoError, readReason, withDescriptors } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import { MANIFEST, type Manifest, readManifest, writeManifest } from './manifest.js';
import { locatePart } from './read-generation.js';

/** What makes up a database, besides the locks in its folder. */
const CONTENT = [
    MANIFEST,
    'parts',
    'keys',
    'retirements',
    'aggregates',
    'replaced',
    'master_database.json',
] as const;

/** `2026-11-29T03-21-57`: for names of folders. */
export const timeForName = (): string => new Date().toISOString().slice(0, 19).replaceAll(':', '-');

/**
 * Copies the generation that readers see now into a new folder, which is a database of its own. Needs no lock. Its manifest is
 * written last: a folder without one is not a backup.
 * @returns the generation that was copied
 * @throws UserError (exit 2) if there is no database, or the target is there; WriteError
 */
export async function backUpDatabase(dir: string, target: string): Promise<Manifest> {
    const manifest = await readManifest(dir);
    if (manifest === null) throw new UserError(`there is no database in ${dir}: nothing to back up`);
    if (await isThere(target)) throw new UserError(`${target} exists: name a folder that does not`);
    try {
        await copyGeneration(dir, manifest, target);
    } catch (error) {
        // A half copy would only be in the way of the next try.
        await rm(target, { recursive: true, force: true }).catch(() => undefined);
        throw error;
    }
    return manifest;
}

/** Where a backup is copied to, in the database's folder, before it takes the place of what stands there. */
const RESTORING = 'restoring';

/**
 * Puts a backup in the place of a database. What stands there now is moved aside, whatever state it is in, once the whole backup
 * is beside it: a backup that is damaged, or a full disk, changes nothing. Killed anywhere, nothing is lost, and the same call
 * finishes.
 * @returns the folder that holds what stood there; null if nothing did
 * @throws UserError: exit 2 if the source is not a whole backup, 3 if another process holds the database; WriteError
 */
export async function restoreDatabase(
    dir: string,
    source: string,
    options: { readonly takeOver: boolean; readonly onNotice: (message: string) => void },
): Promise<{ readonly manifest: Manifest; readonly aside: string | null }> {
    const manifest = await readManifest(source);
    if (manifest === null)
        throw new UserError(`${source} is not a backup: expected a folder with ${MANIFEST}`);
    if (await isSameFolder(source, dir)) throw new UserError(`${source} is the database itself`);
    await requireWhole(source, manifest);
    const { takeOver, onNotice } = options;
    const hint = 'end the collector that holds it first';
    const lock = await acquireLock({ checkpointsDir: dir, dir, shard: null, takeOver, hint, onNotice });
    try {
        const copy = join(dir, RESTORING);
        try {
            await rm(copy, { recursive: true, force: true });
            await copyGeneration(source, manifest, copy);
            const aside = await moveAside(dir);
            await explainWrite(dir, () => moveIn(copy, dir));
            return { manifest, aside };
        } finally {
            await rm(copy, { recursive: true, force: true }).catch(() => undefined);
        }
    } finally {
        await lock.release();
    }
}

async function isSameFolder(a: string, b: string): Promise<boolean> {
    const [one, other] = await Promise.all([a, b].map((path) => realpath(path).catch(() => path)));
    return one === other;
}

/** @throws UserError if a file that the manifest names is not there, or not as long as it says */
async function requireWhole(source: string, { parts, retirements, aggregates }: Manifest): Promise<void> {
    for (const file of [...parts, ...retirements, ...aggregates]) {
        const path = join(source, file.path);
        const stats = await stat(path).catch((error: unknown) => {
            throw new UserError(
                `${source} is not a whole backup: cannot read ${path}: ${readReason(error)}`,
                2,
                {
                    cause: error,
                },
            );
        });
        if ('bytes' in file && stats.size !== file.bytes)
            throw new UserError(
                `${source} is not a whole backup: ${path} has ${stats.size} bytes, expected ${file.bytes}`,
            );
    }
}

/** The manifest last: until it is there the folder is not a database. */
async function moveIn(copy: string, dir: string): Promise<void> {
    const names = (await readdir(copy)).filter((name) => name !== MANIFEST);
    for (const name of [...names, MANIFEST]) await rename(join(copy, name), join(dir, name));
    await syncDirectory(dir);
}

async function moveAside(dir: string): Promise<string | null> {
    const there = new Set(await readdir(dir));
    const content = CONTENT.filter((name) => there.has(name));
    if (content.length === 0) return null;
    const aside = join(dirname(dir), `${basename(dir)}.before-restore-${timeForName()}`);
    return await explainWrite(aside, async () => {
        await makeDirectory(aside);
        // The manifest first: without it nobody takes what is left for a database.
        for (const name of content) await rename(join(dir, name), join(aside, name));
        await syncDirectory(aside);
        await syncDirectory(dir);
        return aside;
    });
}

async function copyGeneration(dir: string, manifest: Manifest, target: string): Promise<void> {
    await explainWrite(target, async () => {
        for (const part of manifest.parts)
            await copyDurably(await locatePart(dir, part), join(target, part.path));
        for (const { path } of [...manifest.retirements, ...manifest.aggregates])
            await copyDurably(join(dir, path), join(target, path));
        const tree = join(dir, 'master_database.json');
        if (await isThere(tree)) await copyDurably(tree, join(target, 'master_database.json'));
        await makeDirectory(target);
        for (const name of await readdir(target))
            if ((await stat(join(target, name))).isDirectory()) await syncDirectory(join(target, name));
        await writeManifest(new DurableWriter(target, makeHolderId()), manifest);
    });
}

async function copyDurably(source: string, target: string): Promise<void> {
    await makeDirectory(dirname(target));
    await copyFile(source, target, constants.COPYFILE_FICLONE);
    const handle = await withDescriptors(() => open(target, 'r+'));
    try {
        await handle.sync();
    } finally {
        await handle.close();
    }
}

async function explainWrite<T>(path: string, action: () => Promise<T>): Promise<T> {
    try {
        return await action();
    } catch (error) {
        if (error instanceof UserError || error instanceof WriteError || getIoCode(error) === null)
            throw error;
        throw new WriteError(path, describeIoError(error), { cause: error });
    }
}

async function isThere(path: string): Promise<boolean> {
    return await stat(path).then(
        () => true,
        () => false,
    );
}

import type { Dir, Dirent } from 'node:fs';
import { opendir, readdir } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { getIoCode, describeIoError } from '../util/io-error.js';
import { TextSet } from '../util/columns/text-set.js';
import { UserError } from '../util/user-error.js';

/**
 * Names of the files in a directory; empty if it does not exist.
 * @throws UserError (exit 2) if it cannot be listed
 */
export async function listFiles(dir: string): Promise<readonly string[]> {
    try {
        return await readdir(dir);
    } catch (error) {
        if (getIoCode(error) === 'ENOENT') return [];
        throw makeListingError(dir, error);
    }
}

/**
 * The entries of a directory; empty if it does not exist.
 * @throws UserError (exit 2) if it cannot be listed
 */
export async function listEntries(dir: string): Promise<readonly Dirent[]> {
    try {
        return await readdir(dir, { withFileTypes: true });
    } catch (error) {
        if (getIoCode(error) === 'ENOENT') return [];
        throw makeListingError(dir, error);
    }
}

/** Names of a directory. */
export interface FileListing {
    readonly names: readonly string[];
    /** Names that are not regular files: folders, links, devices, and those of unknown kind. */
    readonly others: ReadonlySet<string>;
}

/**
 * Like `listFiles`, with the kinds that the directory itself reports, which saves a stat for each name.
 * @throws UserError (exit 2) if it cannot be listed
 */
export async function listFileKinds(dir: string): Promise<FileListing> {
    const names: string[] = [];
    const others = new Set<string>();
    await readEntries(dir, ({ name, isRegular }) => {
        names.push(name);
        if (!isRegular) others.add(name);
    });
    return { names, others };
}

/** Names read from a directory before other work gets its turn. */
const AT_ONCE = 4096;

/**
 * The same names without an order, for directories of a million files: as a list they would take 100 MB, and twice that while it
 * is built.
 * @throws UserError (exit 2) if it cannot be listed
 */
export async function listManyFiles(dir: string): Promise<TextSet> {
    const names = new TextSet();
    await readEntries(dir, ({ name }) => names.add(name));
    return names;
}

/** Yields nothing if the directory does not exist. @throws UserError (exit 2) if it cannot be listed */
async function readEntries(
    dir: string,
    add: (entry: { readonly name: string; readonly isRegular: boolean }) => void,
): Promise<void> {
    let folder: Dir | null = null;
    let count = 0;
    try {
        folder = await opendir(dir, { bufferSize: AT_ONCE });
        for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
            add({ name: entry.name, isRegular: entry.isFile() });
            count += 1;
            if (count % AT_ONCE === 0) await setImmediate();
        }
    } catch (error) {
        if (getIoCode(error) !== 'ENOENT') throw makeListingError(dir, error);
    } finally {
        await folder?.close();
    }
}

const makeListingError = (dir: string, error: unknown): UserError =>
    new UserError(`cannot list ${dir}: ${describeIoError(error)}`, 2, { cause: error });

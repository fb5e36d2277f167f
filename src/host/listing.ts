import type { Dir } from 'node:fs';
import { opendir, readdir } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { getIoCode, describeIoError } from '../util/io-error.js';
import { TextSet } from '../util/columns/text-set.js';
import { UserError } from '../util/user-error.js';

/**
 * Names of the files in a directory; none if it is not there.
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

/** Names that are read from a directory before anything else gets its turn. */
const AT_ONCE = 4096;

/**
 * The same names in no order, for directories of a million files: as a list they would take 100 MB, and while it is made twice that.
 * @throws UserError (exit 2) if it cannot be listed
 */
export async function listManyFiles(dir: string): Promise<TextSet> {
    const names = new TextSet();
    let folder: Dir | null = null;
    try {
        folder = await opendir(dir, { bufferSize: AT_ONCE });
        for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
            names.add(entry.name);
            if (names.size % AT_ONCE === 0) await setImmediate();
        }
        return names;
    } catch (error) {
        if (getIoCode(error) === 'ENOENT') return names;
        throw makeListingError(dir, error);
    } finally {
        await folder?.close();
    }
}

const makeListingError = (dir: string, error: unknown): UserError =>
    new UserError(`cannot list ${dir}: ${describeIoError(error)}`, 2, { cause: error });

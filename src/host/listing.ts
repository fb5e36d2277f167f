import { readdir } from 'node:fs/promises';
import { getIoCode, describeIoError } from '../util/io-error.js';
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
        throw new UserError(`cannot list ${dir}: ${describeIoError(error)}`, 2, { cause: error });
    }
}

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { getIoCode } from '../../util/io-error.js';
import { MANIFEST, PARTS } from './manifest.js';

/** Whether a folder is a results database, given where results are expected. */
export async function isDatabaseFolder(dir: string): Promise<boolean> {
    try {
        for (const name of [MANIFEST, PARTS]) await stat(join(dir, name));
        return true;
    } catch (error) {
        if (getIoCode(error) !== null) return false;
        throw error;
    }
}

import { constants } from 'node:fs';
import { copyFile, link, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory } from '../../host/durable-write.js';
import { WriteError } from '../../host/write-error.js';
import { describeIoError, getIoCode, withDescriptors } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';

/** Copies a file durably, except for its name. */
export async function copyDurably(source: string, target: string): Promise<void> {
    await makeDirectory(dirname(target));
    await copyFile(source, target, constants.COPYFILE_FICLONE);
    const handle = await withDescriptors(() => open(target, 'r+'));
    try {
        await handle.sync();
    } finally {
        await handle.close();
    }
}

/** Hard-links a file that never changes in place, or copies it if the file system has no hard links. */
export async function linkOrCopy(from: string, to: string): Promise<void> {
    try {
        await link(from, to);
    } catch (error) {
        if (getIoCode(error) === 'EEXIST') return;
        if (getIoCode(error) === 'ENOENT') throw error;
        await copyDurably(from, to);
    }
}

/** @throws WriteError in place of a file system error */
export async function explainWrite<T>(path: string, action: () => Promise<T>): Promise<T> {
    try {
        return await action();
    } catch (error) {
        if (error instanceof UserError || error instanceof WriteError || getIoCode(error) === null)
            throw error;
        throw new WriteError(path, describeIoError(error), { cause: error });
    }
}

/** @throws the system's error if existence cannot be determined: an existing file must not be treated as missing */
export async function isThere(path: string): Promise<boolean> {
    try {
        await stat(path);
        return true;
    } catch (error) {
        if (getIoCode(error) === 'ENOENT') return false;
        throw error;
    }
}

/** `2026-11-29T03-21-57`, for use in folder names. */
export const timeForName = (): string => new Date().toISOString().slice(0, 19).replaceAll(':', '-');

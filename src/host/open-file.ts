import { constants } from 'node:buffer';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { withDescriptors } from '../util/io-error.js';
import { READ_WITHOUT_BLOCKING, refuseOthers } from '../util/regular-file.js';

/**
 * Opens a file for reading without ever blocking: a FIFO, device, socket or folder in its place is an error, not a hang.
 * @throws NotAFileError, or the system's error
 */
export async function openFile(path: string): Promise<FileHandle> {
    // Check before opening: opening a device can have effects.
    refuseOthers(path, await stat(path));
    const handle = await withDescriptors(() => open(path, READ_WITHOUT_BLOCKING));
    try {
        refuseOthers(path, await handle.stat());
        return handle;
    } catch (error) {
        await handle.close();
        throw error;
    }
}

/** The text (UTF-8) of a file. @throws NotAFileError, or the system's error */
export async function readTextFile(path: string): Promise<string> {
    return (await readBytes(path, constants.MAX_STRING_LENGTH)).toString('utf8');
}

/**
 * The bytes of a file.
 * @param most a larger file is not read
 * @throws NotAFileError, or the system's error
 */
export async function readBytes(path: string, most = Number.POSITIVE_INFINITY): Promise<Buffer> {
    const handle = await openFile(path);
    try {
        if ((await handle.stat()).size > most)
            throw Object.assign(new Error(`${path} is too large`), { code: 'ERR_STRING_TOO_LONG' });
        return await handle.readFile();
    } finally {
        await handle.close();
    }
}

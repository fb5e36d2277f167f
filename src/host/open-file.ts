import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { withDescriptors } from '../util/io-error.js';

/** Something else stands where a file is expected. Its message says what, but not where. */
export class NotAFileError extends Error {
    override readonly name = 'NotAFileError';
    readonly code = 'ENOTFILE';

    constructor(
        readonly path: string,
        kind: string,
    ) {
        super(`it is ${kind}, not a file`);
    }
}

/**
 * Opens a file for reading without ever blocking: a FIFO, device, socket or folder in its place is an error, not a hang.
 * @throws NotAFileError, or what the system says
 */
export async function openFile(path: string): Promise<FileHandle> {
    // Before the opening: to open a device can do something to it.
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

/** The text (UTF-8) of a file. @throws NotAFileError, or what the system says */
export async function readTextFile(path: string): Promise<string> {
    const handle = await openFile(path);
    try {
        return await readFile(handle, 'utf8');
    } finally {
        await handle.close();
    }
}

const READ_WITHOUT_BLOCKING = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

function refuseOthers(path: string, stats: Stats): void {
    if (!stats.isFile()) throw new NotAFileError(path, describeKind(stats));
}

/** `a folder`, `a FIFO` and so on. */
export function describeKind(stats: Stats): string {
    if (stats.isDirectory()) return 'a folder';
    if (stats.isFIFO()) return 'a FIFO (named pipe)';
    if (stats.isSocket()) return 'a socket';
    return 'a device';
}

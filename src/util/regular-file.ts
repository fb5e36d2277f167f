import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';

/** Thrown if something other than a file is found where one is expected. The message says what it is, but not where. */
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

/** Flags for opening a file without waiting for the other end of a FIFO or acquiring a terminal. */
export const READ_WITHOUT_BLOCKING = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** @throws NotAFileError */
export function refuseOthers(path: string, stats: Stats): void {
    if (!stats.isFile()) throw new NotAFileError(path, describeKind(stats));
}

/** Such as `a folder` or `a FIFO`. */
export function describeKind(stats: Stats): string {
    if (stats.isDirectory()) return 'a folder';
    if (stats.isFIFO()) return 'a FIFO (named pipe)';
    if (stats.isSocket()) return 'a socket';
    return 'a device';
}

/** @throws NotAFileError, or the system's error. For code that opens a path itself and would block: `import()` of a module. */
export function checkRegularFile(path: string): void {
    refuseOthers(path, statSync(path));
}

/**
 * The bytes of a small file that the user names, read synchronously. A FIFO in its place would block the whole process, signals
 * included, until someone writes to it: it is an error.
 * @throws NotAFileError, or the system's error
 */
export function readRegularFile(path: string): Buffer {
    checkRegularFile(path);
    const descriptor = openSync(path, READ_WITHOUT_BLOCKING);
    try {
        refuseOthers(path, fstatSync(descriptor));
        return readFileSync(descriptor);
    } finally {
        closeSync(descriptor);
    }
}

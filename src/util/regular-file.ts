import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';

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

/** Flags of an opening that neither waits for the other end of a FIFO nor takes a terminal. */
export const READ_WITHOUT_BLOCKING = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** @throws NotAFileError */
export function refuseOthers(path: string, stats: Stats): void {
    if (!stats.isFile()) throw new NotAFileError(path, describeKind(stats));
}

/** `a folder`, `a FIFO` and so on. */
export function describeKind(stats: Stats): string {
    if (stats.isDirectory()) return 'a folder';
    if (stats.isFIFO()) return 'a FIFO (named pipe)';
    if (stats.isSocket()) return 'a socket';
    return 'a device';
}

/** @throws NotAFileError, or what the system says. For what opens a path itself and would wait: `import()` of a module. */
export function checkRegularFile(path: string): void {
    refuseOthers(path, statSync(path));
}

/**
 * The bytes of a small file that the user names, at once. A FIFO in its place would stop the whole process, signals
 * included, until somebody writes to it: it is an error.
 * @throws NotAFileError, or what the system says
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

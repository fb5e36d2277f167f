import type { ErrorCode } from '../util/user-error.js';

/** A file that must last (a checkpoint, the results database) could not be written. Nothing acknowledged is lost, but the program must stop. Exit 4. */
export class WriteError extends Error {
    override readonly name = 'WriteError';
    readonly code = 'RESUME_RUN_CANNOT_WRITE' satisfies ErrorCode;

    /** @param file the file; its old content is intact */
    constructor(
        readonly file: string,
        readonly why: string,
        options?: ErrorOptions,
    ) {
        super(`cannot write ${file}: ${why}`, options);
    }
}

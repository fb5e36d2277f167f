/** Stable error codes for programs: messages may change, these do not. */
export type ErrorCode =
    /** An option, the config file or the command line is invalid. */
    | 'RESUME_RUN_INVALID_INPUT'
    /** A dataset's row or file cannot be read. */
    | 'RESUME_RUN_INVALID_DATASET'
    /** A dataset changed between being planned and being read. */
    | 'RESUME_RUN_DATASET_CHANGED'
    /** Changed inputs would re-run more finished tasks than may be replaced without asking. */
    | 'RESUME_RUN_INPUTS_CHANGED'
    /** run.json belongs to another user, and names programs that a start would run. */
    | 'RESUME_RUN_UNTRUSTED'
    /** An optional package is not installed. */
    | 'RESUME_RUN_MISSING_PACKAGE'
    /** Another run holds the directory. */
    | 'RESUME_RUN_DIRECTORY_HELD'
    /** A checkpoint, or another file that must last, could not be written. */
    | 'RESUME_RUN_CANNOT_WRITE'
    /** No endpoint came back in time. */
    | 'RESUME_RUN_NO_ENDPOINT';

export interface UserErrorOptions extends ErrorOptions {
    /** Derived from the exit code if absent. */
    readonly code?: ErrorCode;
}

/**
 * Something the user can fix: bad usage, configuration, dataset or directory. It is shown as one line, without a stack trace, and
 * ends the process with its `exitCode`. Anything else that is thrown is our bug.
 */
export class UserError extends Error {
    override readonly name = 'UserError';
    readonly code: ErrorCode;

    /** @param exitCode see docs: 2 usage/config/dataset, 3 another run holds the directory, 4 a checkpoint could not be written */
    constructor(
        message: string,
        readonly exitCode: ExitCode = 2,
        options: UserErrorOptions = {},
    ) {
        super(message, options);
        this.code = options.code ?? toErrorCode(exitCode);
    }
}

/** The code of an error of which only the exit code is known. */
export function toErrorCode(exitCode: ExitCode): ErrorCode {
    if (exitCode === 3) return 'RESUME_RUN_DIRECTORY_HELD';
    if (exitCode === 4) return 'RESUME_RUN_CANNOT_WRITE';
    return exitCode === 5 ? 'RESUME_RUN_NO_ENDPOINT' : 'RESUME_RUN_INVALID_INPUT';
}

/** 0 finished · 1 some tasks failed · 2 usage, config, dataset · 3 directory held · 4 checkpoint not written · 5 no endpoint came back · 129/130/143 stopped by a signal. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 129 | 130 | 143;

import { NotAFileError } from '../util/regular-file.js';
import { WriteError } from '../host/write-error.js';
import { readReason } from '../util/io-error.js';
import { escapeJson, escapeLine, escapeText } from '../util/printable.js';
import { maskSecrets } from '../util/secrets.js';
import { type ErrorCode, type ExitCode, toErrorCode, UserError } from '../util/user-error.js';

/** The exit code for a bug in resume-run (EX_SOFTWARE), distinct from those that tell how a run ended. */
export const BUG = 70;

/**
 * Describes an error that ended a command: in one line if the user can fix it, with a stack if it is a bug in resume-run.
 * @param json print an object, for programs
 */
export function explainError(
    error: unknown,
    json: boolean,
): { readonly text: string; readonly code: ExitCode | typeof BUG } {
    const code = chooseExitCode(error);
    const message = maskSecrets(formatMessageFor(error));
    if (json)
        return {
            text: `${escapeJson(JSON.stringify({ type: 'error', message, exitCode: code, code: chooseStableCode(error, code) }))}\n`,
            code,
        };
    if (code !== BUG) return { text: `resume-run: ${escapeLine(message.replaceAll('\n', ' '))}\n`, code };
    const stack = escapeText(error instanceof Error ? maskSecrets(error.stack ?? message) : message);
    return {
        text:
            `${stack}\n\nresume-run: this is a bug in resume-run; finished results are safe in their files.\n` +
            `Please report it with the lines above, the command line, and what \`resume-run doctor\` prints.\n`,
        code,
    };
}

function chooseExitCode(error: unknown): ExitCode | typeof BUG {
    if (error instanceof UserError) return error.exitCode;
    if (lacksDescriptors(error) || error instanceof NotAFileError) return 2;
    if (error instanceof WriteError) return 4;
    return isSystemError(error) ? chooseSystemExitCode(error) : BUG;
}

/** The error code that programs may rely on; messages are for people. */
function chooseStableCode(error: unknown, exitCode: ExitCode | typeof BUG): ErrorCode | 'RESUME_RUN_BUG' {
    if (error instanceof UserError || error instanceof WriteError) return error.code;
    if (exitCode === BUG) return 'RESUME_RUN_BUG';
    return toErrorCode(exitCode);
}

function formatMessageFor(error: unknown): string {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof UserError || error instanceof WriteError) return message;
    if (error instanceof NotAFileError) return `cannot read ${escapeLine(error.path)}: ${error.message}`;
    if (isSystemError(error)) {
        const file = error.path === undefined ? 'a file' : escapeLine(error.path);
        return `cannot ${describeOperation(error)} ${file}: ${readReason(error)}`;
    }
    if (!lacksDescriptors(error)) return message;
    return `the limit on open files is too low (${message}): raise it with \`ulimit -n 1024\``;
}

interface SystemError extends Error {
    readonly code: string;
    /** Absent if the call was made on an open file. */
    readonly path?: string;
    readonly syscall: string;
}

/**
 * An error of the file system for a path, or of a failing or full disk under an open file: the user can fix these, wherever they
 * occur. Any other error of a system call (EBADF, EINVAL) is a bug in resume-run.
 */
function isSystemError(error: unknown): error is SystemError {
    if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return false;
    if (typeof error.code !== 'string' || typeof error.syscall !== 'string') return false;
    return 'path' in error
        ? typeof error.path === 'string' && REFUSALS.has(error.code)
        : UNWRITABLE.includes(error.code);
}

const UNWRITABLE = ['EROFS', 'ENOSPC', 'EDQUOT', 'EIO'];
const REFUSALS: ReadonlySet<string> = new Set([
    'EACCES',
    'EPERM',
    'ENOENT',
    'ENOTDIR',
    'EISDIR',
    'ELOOP',
    'ENAMETOOLONG',
    ...UNWRITABLE,
]);

/** Exit code 4: results could not be written; 2: the input was at fault. */
function chooseSystemExitCode(error: SystemError): ExitCode {
    return UNWRITABLE.includes(error.code) ? 4 : 2;
}

function describeOperation({ syscall }: SystemError): string {
    if (syscall === 'open' || syscall === 'read' || syscall === 'scandir' || syscall.endsWith('stat'))
        return 'read';
    return syscall === 'mkdir' ? 'make' : syscall;
}

/** Whether the limit on open files is so low that Node cannot even load its modules. */
function lacksDescriptors(error: unknown): boolean {
    return error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE');
}

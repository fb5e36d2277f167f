import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/** The code of a system error (`ENOENT`), null for anything else. */
export function getIoCode(error: unknown): string | null {
    return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** What a system error means, in plain words. */
export function describeIoError(error: unknown): string {
    switch (getIoCode(error) ?? '') {
        case 'ENOSPC':
            if (lacksInodes(error)) {
                return 'the file system holds as many files as it can (no free inodes; see `df -i`); delete some files and start again';
            }
            return 'the disk is full; the old file stands. Free some space and start again';
        case 'EDQUOT':
            return 'the disk quota is used up; the old file stands. Free some space and start again';
        case 'EROFS':
            return 'the file system is read-only';
        case 'EACCES':
        case 'EPERM':
            return 'permission denied';
        case 'EFBIG':
            return 'the file would be larger than this file system or `ulimit -f` allows; the old file stands';
        case 'ENOENT':
            return 'its directory is gone';
        case 'ENOTDIR':
        case 'EEXIST':
            return 'a file stands where a directory should be';
        case 'EISDIR':
            return 'a directory stands where the file should be';
        case 'EMFILE':
        case 'ENFILE':
            return 'too many open files, for longer than we wait (see `ulimit -n`)';
        case 'EIO':
            return 'the disk reported an error (EIO)';
        default:
            return error instanceof Error ? error.message : String(error);
    }
}

/** Allows for a few that have become free: some of the files being written may have been removed since the error. */
const NEARLY_NO_INODES = 64;

/** Whether a file could not be created for lack of inodes although there is space: both are ENOSPC. */
function lacksInodes(error: unknown): boolean {
    if (!(error instanceof Error) || !('path' in error) || typeof error.path !== 'string') return false;
    try {
        const { files, ffree, bavail } = statfsSync(dirname(error.path));
        // Some file systems have no fixed number of inodes, and report 0 files.
        return files > 0 && ffree < NEARLY_NO_INODES && bavail > 0;
    } catch {
        return false;
    }
}

/** The same for reading, where no older content could be lost. */
export function readReason(error: unknown): string {
    switch (getIoCode(error) ?? '') {
        case 'ENOENT':
            return 'there is no such file or folder';
        case 'EISDIR':
            return 'it is a folder';
        case 'ELOOP':
            return 'its links lead in a circle';
        case 'ENAMETOOLONG':
            return 'the name is too long';
        case 'ERR_STRING_TOO_LONG':
            return 'it is too large to be read as one text, which may have 512 MB';
        case 'ERR_FS_FILE_TOO_LARGE':
            return 'it is too large to be read as a whole, which files of 2 GB are';
        default:
            return describeIoError(error);
    }
}

const RETRY_DELAYS_MS = [5, 20, 80, 320, 1000, 2000];

/** Retries `action` for a few seconds while the process or the system is out of file descriptors. */
export async function withDescriptors<T>(action: () => Promise<T>): Promise<T> {
    for (const pause of RETRY_DELAYS_MS) {
        try {
            return await action();
        } catch (error) {
            const code = getIoCode(error);
            if (code !== 'EMFILE' && code !== 'ENFILE') throw error;
            await new Promise((resolve) => setTimeout(resolve, pause));
        }
    }
    return await action();
}

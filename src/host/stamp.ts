import { type BigIntStats, statSync } from 'node:fs';
import { getIoCode } from '../util/io-error.js';
import type { FileStamp } from '../model/file-stamp.js';

export function makeStamp(stats: BigIntStats): FileStamp {
    return { inode: String(stats.ino), size: Number(stats.size), mtime: String(stats.mtimeNs) };
}

/**
 * A file's stamp, null if there is no such file. Synchronous: a start looks at every result file, and 20,000 of these calls
 * take 0.1 s, while 20,000 round trips through the thread pool take 1 s.
 */
export function stampFile(path: string): FileStamp | null {
    try {
        const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
        return stats === undefined ? null : makeStamp(stats);
    } catch (error) {
        // A circular link leads to no file.
        if (getIoCode(error) === 'ELOOP') return null;
        throw error;
    }
}

export function isSameStamp(a: FileStamp, b: FileStamp): boolean {
    return a.inode === b.inode && a.size === b.size && a.mtime === b.mtime;
}

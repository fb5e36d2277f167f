import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { getIoCode } from '../util/io-error.js';

/** `low`: worth a warning. `full`: commits may fail at any moment, so stop while what is there can still be saved. */
export type DiskState = 'fine' | 'low' | 'full';

const LOW = 1024 * 1024 * 1024;
const FULL = 16 * 1024 * 1024;

/** Bytes that this user can still write where `dir` is or will be; null if the system does not report it. */
export async function freeBytes(dir: string): Promise<number | null> {
    for (let at = dir; ; at = dirname(at)) {
        try {
            const { bavail, bsize } = await statfs(at);
            return bavail * bsize;
        } catch (error) {
            if (getIoCode(error) !== 'ENOENT' || dirname(at) === at) return null;
        }
    }
}

/** @param free bytes, of `freeBytes` */
export function judgeDiskState(free: number): DiskState {
    if (free < FULL) return 'full';
    return free < LOW ? 'low' : 'fine';
}

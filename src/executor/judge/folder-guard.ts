import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

export interface FolderGuard {
    readonly isExceeded: boolean;
    /** Called once, as soon as the folder exceeds its limits. */
    onExceeded(callback: () => void): void;
    stop(): void;
}

const EVERY_MS = 500;
/** Unit of a file's `blocks`, in bytes. */
const BLOCK = 512;

/** Checks periodically whether a folder exceeds its limits, if it has no file system of its own that bounds it. */
export function guardFolder(folder: string, mostFiles: number, mostBytes: number): FolderGuard {
    let isExceeded = false;
    let isStopped = false;
    let callback = (): void => {};
    const look = async (): Promise<void> => {
        if (await holdsMore(folder, mostFiles, mostBytes)) {
            isExceeded = true;
            callback();
        } else if (!isStopped) timer = setTimeout(() => void look(), EVERY_MS).unref();
    };
    let timer = setTimeout(() => void look(), EVERY_MS).unref();
    return {
        get isExceeded() {
            return isExceeded;
        },
        onExceeded(given) {
            callback = given;
        },
        stop() {
            isStopped = true;
            clearTimeout(timer);
        },
    };
}

/** Does not follow links; files that vanish meanwhile are not counted. */
async function holdsMore(folder: string, mostFiles: number, mostBytes: number): Promise<boolean> {
    let files = 0;
    let bytes = 0;
    const folders = [folder];
    for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
        // One entry at a time, since a folder may contain a million.
        const entries = await opendir(at).catch(() => null);
        if (entries === null) continue;
        for await (const entry of entries) {
            if (++files > mostFiles) return true;
            const path = join(at, entry.name);
            if (entry.isDirectory()) folders.push(path);
            else if (entry.isFile()) bytes += ((await lstat(path).catch(() => null))?.blocks ?? 0) * BLOCK;
            if (bytes > mostBytes) return true;
        }
    }
    return false;
}

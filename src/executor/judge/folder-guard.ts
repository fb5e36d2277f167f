import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

export interface FolderGuard {
    readonly isExceeded: boolean;
    /** Called once, as soon as more is seen. */
    onExceeded(callback: () => void): void;
    stop(): void;
}

const EVERY_MS = 500;
/** What `blocks` of a file counts in. */
const BLOCK = 512;

/** Looks now and then whether a folder holds too much, where no file system of its own bounds it. */
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

/** Follows no link; what vanishes meanwhile counts as nothing. */
async function holdsMore(folder: string, mostFiles: number, mostBytes: number): Promise<boolean> {
    let files = 0;
    let bytes = 0;
    const folders = [folder];
    for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
        // One by one: there may be a million in one folder.
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

import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const OTHERS_EXECUTE = 0o001;
const OTHERS_READ = 0o004;

/** Whether a user that owns nothing can access a folder. */
export async function isReachable(path: string): Promise<boolean> {
    try {
        for (let folder = await realpath(path); ; folder = dirname(folder)) {
            if (((await stat(folder)).mode & OTHERS_EXECUTE) === 0) return false;
            if (folder === dirname(folder)) return true;
        }
    } catch {
        return false;
    }
}

/** Whether such a user can run a file: reach it, read it and execute it. */
export async function isRunnableByOthers(path: string): Promise<boolean> {
    const mode = await stat(path).then(
        (info) => info.mode,
        () => 0,
    );
    const needed = OTHERS_EXECUTE | OTHERS_READ;
    return (mode & needed) === needed && isReachable(dirname(path));
}

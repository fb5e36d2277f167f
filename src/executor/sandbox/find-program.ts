import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

/**
 * Searched after PATH, which may be short or absent (cron, `env -i`, containers), or may lead to a version manager that hides the
 * real programs.
 */
const DEFAULT_FOLDERS = [
    '/usr/local/bin',
    '/usr/bin',
    '/bin',
    '/usr/local/sbin',
    '/usr/sbin',
    '/sbin',
    '/usr/local/go/bin',
    '/run/current-system/sw/bin',
    '/opt/homebrew/bin',
];

/** Folders that are searched for programs, in order. */
export function programFolders(path: string | undefined = process.env['PATH']): readonly string[] {
    const named = (path ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
    return [...new Set([...named, ...DEFAULT_FOLDERS])];
}

/** Every executable file of that name on PATH and in the usual folders, in order; a path is returned as it is. */
export async function findPrograms(name: string): Promise<string[]> {
    if (isAbsolute(name)) return (await isExecutable(name)) ? [name] : [];
    const found: string[] = [];
    for (const folder of programFolders()) {
        const candidate = join(folder, name);
        if (await isExecutable(candidate)) found.push(candidate);
    }
    return found;
}

export async function findProgram(name: string): Promise<string | null> {
    return (await findPrograms(name))[0] ?? null;
}

async function isExecutable(path: string): Promise<boolean> {
    try {
        await access(path, constants.X_OK);
        return (await stat(path)).isFile();
    } catch {
        return false;
    }
}

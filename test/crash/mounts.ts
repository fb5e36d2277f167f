import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A temporary file system for a test, unmounted afterwards. */
export interface Mounted {
    readonly path: string;
    /** Changes mount options (`size=8m`, `ro`). */
    remount(options: string): void;
}

/**
 * Mounts a tmpfs of a given size (`256k`) in `home`.
 * @throws Error if that is not allowed
 */
export function mountTmpfs(home: string, size: string): Mounted {
    const path = join(home, 'small');
    mkdirSync(path);
    must('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', path]);
    return mounted(path);
}

/**
 * Mounts a case-insensitive ext4, where `A` and `a` are the same name.
 * @throws Error if the system cannot
 */
export function mountCaseInsensitive(home: string): Mounted {
    const image = join(home, 'image');
    const path = join(home, 'folded');
    must('truncate', ['-s', '24M', image]);
    must('mkfs.ext4', ['-q', '-O', 'casefold', '-E', 'encoding=utf8', image]);
    mkdirSync(path);
    must('mount', ['-o', 'loop', image, path]);
    const found = mounted(path);
    rmSync(join(path, 'lost+found'), { recursive: true, force: true });
    must('chattr', ['+F', path]);
    return found;
}

function mounted(path: string): Mounted {
    onTestFinished(() => unmount(path));
    return { path, remount: (options) => must('mount', ['-o', `remount,${options}`, path]) };
}

function unmount(path: string): void {
    spawnSync('umount', [path]);
}

function must(file: string, args: readonly string[]): void {
    const { status, stderr, error } = spawnSync(file, args, { encoding: 'utf8' });
    if (status === 0) return;
    throw new Error(`${file}: ${error?.message ?? stderr.trim().split('\n')[0] ?? status}`);
}

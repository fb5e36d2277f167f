import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Paths inside the sandbox. */
export const INSIDE = { source: '/src', work: '/box', folders: ['/box', '/tmp', '/dev/shm'] } as const;

export interface BwrapOptions {
    readonly bwrap: string;
    /** Folders of toolchains outside /usr, visible read-only at their own paths. */
    readonly roots: readonly string[];
    /** Size in bytes of each writable folder. */
    readonly scratchBytes: number;
}

/** Files and folders of /etc that toolchains need; nothing that reveals users or machines. */
function etcPaths(): string[] {
    const fixed = [
        '/etc/alternatives',
        '/etc/ld.so.cache',
        '/etc/ld.so.conf',
        '/etc/ld.so.conf.d',
        '/etc/localtime',
    ];
    try {
        const java = readdirSync('/etc').filter((name) => /^java(-|$)/.test(name));
        return [...fixed, ...java.map((name) => join('/etc', name))];
    } catch {
        return fixed;
    }
}

/** Links into /usr on most systems, separate folders on some. */
const SYSTEM_FOLDERS = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/**
 * What programs outside of bwrap may read. This includes everything in /etc that their user may read, because runtimes ignore
 * settings that do not exist but fail on those that they may not open.
 */
export function listReadablePaths(roots: readonly string[]): string[] {
    return ['/usr', '/etc', ...SYSTEM_FOLDERS, ...roots, '/proc'];
}

function systemFolders(): string[] {
    const args: string[] = [];
    for (const path of SYSTEM_FOLDERS) {
        const info = lstatSync(path, { throwIfNoEntry: false });
        if (info === undefined) continue;
        if (info.isSymbolicLink()) args.push('--symlink', readlinkSync(path), path);
        else if (info.isDirectory()) args.push('--ro-bind', path, path);
    }
    return args;
}

/**
 * The command that starts a sandbox, up to the box's own command. `@files` stands for the submission's files. docs/security.md
 * explains each flag.
 */
export function buildBwrapArguments(options: BwrapOptions): string[] {
    const size = String(options.scratchBytes);
    const writable = INSIDE.folders.flatMap((folder) => ['--size', size, '--tmpfs', folder]);
    return [
        options.bwrap,
        '--unshare-all',
        '--unshare-user',
        '--disable-userns',
        '--die-with-parent',
        '--new-session',
        '--clearenv',
        '--cap-drop',
        'ALL',
        '--ro-bind',
        '/usr',
        '/usr',
        ...systemFolders(),
        ...etcPaths().flatMap((path) => ['--ro-bind-try', path, path]),
        ...options.roots.flatMap((root) => ['--ro-bind', root, root]),
        '--proc',
        '/proc',
        '--dev',
        '/dev',
        '--dir',
        INSIDE.source,
        '@files',
        ...writable,
        // The root and /dev are file systems in memory, too; without this, a program could fill them.
        '--remount-ro',
        '/dev',
        '--remount-ro',
        '/',
        '--chdir',
        INSIDE.work,
        '--as-pid-1',
        '--',
    ];
}

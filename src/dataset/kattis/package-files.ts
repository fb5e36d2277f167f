import { createHash } from 'node:crypto';
import { lstat, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isInside } from '../file-content.js';

/** A file of a package that matters for judging. */
export interface PackageFile {
    /** From the package's folder, `/` between folders: `data/secret/1.in`. */
    readonly name: string;
    /** Real path. */
    readonly path: string;
    /** Bytes. */
    readonly size: number;
    /** Nanoseconds. */
    readonly mtime: string;
    /** Why it must not be read (a link that leads nowhere, or out of the package); null if it can be. */
    readonly refused: string | null;
}

/** What is read of a package; statements and input validators are not. */
const ROOTS = [
    'problem.yaml',
    '.timelimit',
    'domjudge-problem.ini',
    'data',
    'generators',
    'graders',
    'include',
    'output_validator',
    'output_validators',
    'static_validator',
    'submissions',
];
/** Folders that are never read: statements are large, and no program looks at them. */
const STATEMENTS = /^(problem_)?statements?$/;
/** Left out wherever they stand: editors' and tools' own, never part of a problem. */
const LITTER = /^(\.|__pycache__$|node_modules$|Thumbs\.db$)|(~|\.pyc|\.class|\.o|\.exe|\.orig|\.swp)$/;
/** Folders within folders; deeper ones can only be links in a circle. */
const DEEPEST = 16;

/**
 * The files of a package, sorted by name.
 * @param bounds real path that links may lead to besides the package: the tree that it is a part of
 * @param roots what is looked into; not given: what packages of Kattis have
 */
export async function listPackage(
    folder: string,
    bounds: string,
    roots: readonly string[] = ROOTS,
): Promise<PackageFile[]> {
    const found: PackageFile[] = [];
    const root = await realpath(folder);
    for (const name of roots)
        await walk({ name, path: join(root, name), bounds: [root, bounds], depth: 0 }, found);
    return found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Names of all that lies in a package's folder but statements and litter: roots for `listPackage`. */
export async function listRoots(folder: string): Promise<string[]> {
    return (await readdir(folder)).filter((name) => !LITTER.test(name) && !STATEMENTS.test(name));
}

/** What may be read for a package besides its own files. */
export interface PackageReach {
    /** Real path that links must not leave. */
    readonly bounds: string;
    /** For one that was unpacked from an archive: where it would lie in the tree that holds the archive; null: nowhere. */
    readonly beside: PackagePlace | null;
}

/** Where a package lies, or would lie. Real paths. */
export interface PackagePlace {
    readonly folder: string;
    /** Nothing outside of it is read. */
    readonly bounds: string;
}

/** A file or folder outside of the package's, with what is in it. @param name from the package's folder */
export async function listOutside(name: string, path: string, bounds: string): Promise<PackageFile[]> {
    const found: PackageFile[] = [];
    await walk({ name, path, bounds: [bounds], depth: 0 }, found);
    return found;
}

/** Hash over names, sizes and times: equal means that nothing changed as far as the file system tells. */
export function fingerprintPackage(files: readonly PackageFile[]): string {
    const hash = createHash('sha256');
    for (const { name, size, mtime, refused } of files)
        hash.update(`${JSON.stringify([name, size, mtime, refused])}\n`);
    return hash.digest('hex').slice(0, 32);
}

interface Place {
    readonly name: string;
    readonly path: string;
    readonly bounds: readonly string[];
    readonly depth: number;
}

async function walk(place: Place, found: PackageFile[]): Promise<void> {
    const { name, bounds, depth } = place;
    const refuse = (refused: string): void => {
        found.push({ name, path: place.path, size: 0, mtime: '0', refused });
    };
    const link = await lstat(place.path).catch(() => null);
    if (link === null) return;
    let path = place.path;
    if (link.isSymbolicLink()) {
        const target = await realpath(path).catch(() => null);
        const written = await readlink(path);
        if (target === null)
            return refuse(
                `it is a link that leads nowhere (to ${written}); complete the copy of its repository`,
            );
        if (!bounds.some((bound) => isInside(bound, target)))
            return refuse(
                `it is a link that leads out of the package (to ${written}); name a folder that holds both`,
            );
        path = target;
    }
    const stats = await stat(path, { bigint: true });
    if (stats.isDirectory()) {
        if (depth === DEEPEST) return refuse('its folders are too deep, or linked in a circle');
        const names = await readdir(path);
        for (const child of names.filter((each) => !LITTER.test(each))) {
            await walk(
                { name: `${name}/${child}`, path: join(path, child), bounds, depth: depth + 1 },
                found,
            );
        }
    } else if (stats.isFile()) {
        found.push({ name, path, size: Number(stats.size), mtime: String(stats.mtimeNs), refused: null });
    } else refuse('it is not an ordinary file');
}

import { createHash } from 'node:crypto';
import { lstat, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isInside } from '../file-content.js';

/** A file of a package that is relevant to judging. */
export interface PackageFile {
    /** Relative to the package's folder, `/` between folders: `data/secret/1.in`. */
    readonly name: string;
    /** Real path. */
    readonly path: string;
    /** Bytes. */
    readonly size: number;
    /** Nanoseconds. */
    readonly mtime: string;
    /** Why it must not be read (a broken link, or one that leads out of the package); null if it may be. */
    readonly refused: string | null;
}

/** The parts of a package that are read; statements and input validators are not among them. */
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
/** Folders that are never read: statements are large, and programs do not use them. */
const STATEMENTS = /^(problem_)?statements?$/;
/** Left out in every folder: files of editors and tools, which are never part of a problem. */
const LITTER = /^(\.|__pycache__$|node_modules$|Thumbs\.db$)|(~|\.pyc|\.class|\.o|\.exe|\.orig|\.swp)$/;
/** Most levels of nested folders; deeper nesting can only be a link cycle. */
const MAX_DEPTH = 16;

/**
 * The files of a package, sorted by name.
 * @param bounds real path that links may also lead to: the tree that the package is part of
 * @param roots which entries of the folder are searched; default: those of Kattis packages
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

/** Names of everything in a package's folder except statements and litter, as roots for `listPackage`. */
export async function listRoots(folder: string): Promise<string[]> {
    return (await readdir(folder)).filter((name) => !LITTER.test(name) && !STATEMENTS.test(name));
}

/** What may be read for a package besides its own files. */
export interface PackageReach {
    /** Real path that links must not leave. */
    readonly bounds: string;
    /** For a package unpacked from an archive: where it would be in the tree that holds the archive; null: unknown. */
    readonly beside: PackagePlace | null;
}

/** The real or supposed location of a package, as real paths. */
export interface PackagePlace {
    readonly folder: string;
    /** Nothing outside of this folder is read. */
    readonly bounds: string;
}

/** A file, or a folder with its content, outside of the package's folder. @param name relative to the package's folder */
export async function listOutside(name: string, path: string, bounds: string): Promise<PackageFile[]> {
    const found: PackageFile[] = [];
    await walk({ name, path, bounds: [bounds], depth: 0 }, found);
    return found;
}

/** Hash of names, sizes and times. Equal hashes mean that nothing changed, as far as the file system can tell. */
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
            return refuse(`it is a broken link (to ${written}); complete the copy of its repository`);
        if (!bounds.some((bound) => isInside(bound, target)))
            return refuse(
                `it links to a file outside the package (${written}); name a folder that contains both`,
            );
        path = target;
    }
    const stats = await stat(path, { bigint: true });
    if (stats.isDirectory()) {
        if (depth === MAX_DEPTH) return refuse('its folders are nested too deeply, or linked in a circle');
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

import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { hashFile } from '../host/hash-file.js';
import { isSameStamp, makeStamp } from '../host/stamp.js';
import type { FileStamp } from '../model/checkpoint.js';
import type { Content } from '../model/sample.js';
import { UserError } from '../util/user-error.js';

/** A file's stamp. @throws the error of `stat` */
export async function readStamp(path: string): Promise<FileStamp> {
    return makeStamp(await stat(path, { bigint: true }));
}

interface KnownDigest {
    readonly stamp: FileStamp;
    readonly digest: string;
}

/** Digests of files by path, kept until the process ends; if there are too many, the oldest are dropped. */
const known = new Map<string, KnownDigest>();
const MAX_KNOWN = 100_000;

/** Describes a file in place as content. A file is hashed once per process unless it changes. @param path absolute */
export async function describeFileContent(path: string): Promise<Content> {
    const stamp = await readStamp(path);
    const before = known.get(path);
    if (before !== undefined && isSameStamp(before.stamp, stamp)) return { path, digest: before.digest };
    const { sha256: digest } = await hashFile(path);
    // If the file was written to in the meantime, the digest may belong to neither version.
    if (isSameStamp(stamp, await readStamp(path))) remember(path, { stamp, digest });
    return { path, digest };
}

function remember(path: string, entry: KnownDigest): void {
    known.delete(path);
    known.set(path, entry);
    if (known.size <= MAX_KNOWN) return;
    const oldest = known.keys().next();
    if (oldest.done !== true) known.delete(oldest.value);
}

/**
 * The real path of a file that a dataset names, if it lies inside `folder`; null for anything that leads out of it: absolute
 * paths, `..`, links.
 * @param name as written in the dataset, `/` between folders
 * @throws the error of `realpath` if there is no such file
 */
export async function resolveInside(folder: string, name: string): Promise<string | null> {
    if (name === '' || name.includes('\0') || isAbsolute(name) || name.split(/[/\\]/).includes('..'))
        return null;
    const root = await realpath(folder);
    const path = await realpath(join(root, name));
    return isInside(root, path) ? path : null;
}

/** True if `path` is `folder` or lies in it. Both are real paths. */
export function isInside(folder: string, path: string): boolean {
    const way = relative(folder, path);
    return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Resolves the file that a row names, or throws a one-line error. @param place `problems.jsonl:12` */
export async function resolveReferencedFile(folder: string, name: string, place: string): Promise<string> {
    const quoted = JSON.stringify(name);
    let path: string | null;
    try {
        path = await resolveInside(folder, name);
    } catch {
        throw new UserError(`${place}: names the file ${quoted}, which is not in ${folder}`);
    }
    if (path === null) {
        throw new UserError(
            `${place}: names the file ${quoted}, which must be relative to the dataset's folder and inside it`,
        );
    }
    if (!(await stat(path)).isFile()) throw new UserError(`${place}: names ${quoted}, which is not a file`);
    return path;
}

import { createHash } from 'node:crypto';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../util/user-error.js';
import type { PlacedFile } from '../sandbox/wire.js';

/** The files of `--include-dir`, as seen by compilers: `include-0`, `include-1` ... below the source folder. */
export interface Headers {
    readonly files: readonly PlacedFile[];
    readonly folders: readonly string[];
    /** Hash of names and contents. */
    readonly digest: string;
}

const HEADER = /\.(h|hh|hpp|hxx|inc)$/;
const MAX_HEADERS = 500;

/** @throws UserError (exit 2) if a folder cannot be read, or contains far more than headers */
export async function readHeaders(includeDirs: readonly string[]): Promise<Headers> {
    const hash = createHash('sha256');
    const files: PlacedFile[] = [];
    for (const [i, folder] of includeDirs.entries()) {
        const names = await readdir(folder, { recursive: true }).catch((error: Error) => {
            throw new UserError(`--include-dir ${folder} cannot be read: ${error.message}`);
        });
        for (const name of names.filter((one) => HEADER.test(one)).sort()) {
            const host = join(folder, name);
            if (!(await stat(host)).isFile()) continue;
            files.push({ host, name: `include-${i}/${name}`, mode: 0o444 });
            hash.update(`${i}\0${name}\0`).update(await readFile(host));
        }
        if (files.length > MAX_HEADERS) {
            throw new UserError(
                `--include-dir ${folder} contains more than ${MAX_HEADERS} headers: name the folder that holds testlib.h itself`,
            );
        }
    }
    return { files, folders: includeDirs.map((_, i) => `include-${i}`), digest: hash.digest('hex') };
}

import { makeEarlierCheckpoint } from './earlier-checkpoint.js';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint, FileStamp, NotImported, StoredEntry } from '../../model/checkpoint.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import { getIoCode, describeIoError } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import { readJson } from '../result-file/read-json.js';
import { normalizeEarlierEntry } from './normalize.js';

/*
 * The newer layout of the earlier tools: a folder for each sample with a file for each task, `solution_3.json`. A file holds
 * the bare answer of a server, without the source; `extracted_code` is what the server took out of the request.
 */

const FILE = /^(.+)_\d{1,9}\.json$/;
/** Larger files are not read: a V8 string ends at 512 MiB. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** Folders in which a sample's results may stand: `a/b` in `a_b`, or nested. Relative to the results directory. */
export function listEarlierFolders(id: string): readonly string[] {
    const parts = id.split('/');
    const isSafe = parts.every(
        (part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'),
    );
    if (!isSafe) return [];
    return parts.length === 1 ? [id] : [parts.join('_'), id];
}

/** Whether a name in such a folder is that of a result. */
export const isEarlierResultName = (name: string): boolean => FILE.test(name);

/**
 * Reads a folder of one sample's results. Files that cannot be used are named; the others still count.
 * @param dir the results directory
 * @returns null if there is no such folder, or no result in it
 * @throws UserError (exit 2) if the folder cannot be listed
 */
export async function readEarlierFolder(
    dir: string,
    folder: string,
    id: string,
    stamp: FileStamp,
): Promise<Checkpoint | null> {
    const names = (await listFolder(join(dir, folder))).filter(isEarlierResultName).sort(compareByNumber);
    if (names.length === 0) return null;
    const entries = new Map<string, StoredEntry[]>();
    const unusable: NotImported[] = [];
    for (const name of names) {
        const file = `${folder}/${name}`;
        const read = await readResult(join(dir, folder, name), id);
        if (typeof read === 'string') {
            unusable.push({ file, reason: read });
            continue;
        }
        const group = FILE.exec(name)?.[1] ?? '';
        const list = entries.get(group) ?? [];
        entries.set(group, list);
        list.push({ ...normalizeEarlierEntry(read), file });
    }
    return {
        ...makeEarlierCheckpoint(id, entries, stamp),
        earlier: { folder, checkerFile: null, changedVerdicts: 0, unusable },
    };
}

async function listFolder(path: string): Promise<string[]> {
    try {
        return await readdir(path);
    } catch (error) {
        const code = getIoCode(error);
        if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return [];
        throw new UserError(`cannot list ${path}: ${describeIoError(error)}`, 2, { cause: error });
    }
}

/** An entry in the form of the other layout, or the reason why there is none. */
async function readResult(path: string, id: string): Promise<JsonObject | string> {
    const stats = await lstat(path).catch(() => null);
    if (stats?.isFile() !== true) return 'not a file';
    if (stats.size > MAX_FILE_BYTES) return 'too large to be read (over 256 MiB)';
    const read = await readJson(path);
    if ('problem' in read) return read.problem;
    return parseResult(read.value, id);
}

/** What a file's JSON says about a task of a sample, or the reason why it is not a result. */
export function parseResult(json: Json, id: string): JsonObject | string {
    if (!isJsonObject(json)) return 'not a JSON object';
    const isWhole = isJsonObject(json.result) && typeof json.solution === 'string';
    const result = isWhole ? json.result : json;
    if (!isJsonObject(result)) return 'not a JSON object';
    if (isOfAnother(result.id, id)) return `it is of ${JSON.stringify(result.id)}`;
    if (isWhole) return json;
    const source = json.extracted_code;
    if (typeof source !== 'string') return 'without extracted_code nothing tells its source';
    return { solution: source, result: json };
}

/** Ids such as `a/b` and `a_b` share a folder; the id written inside the file decides. */
function isOfAnother(written: Json | undefined, id: string): boolean {
    return (
        typeof written === 'string' &&
        written !== id &&
        written.replaceAll('/', '_') === id.replaceAll('/', '_') &&
        written !== id.replaceAll('/', '_')
    );
}

function compareByNumber(a: string, b: string): number {
    return a.length - b.length || (a < b ? -1 : 1);
}

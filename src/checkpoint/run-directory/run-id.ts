import { createHash, randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { ArchiveList } from '../upkeep/archive-list.js';
import type { RunFile } from './run-file-shape.js';

/*
 * The id of a run: made once for a results directory, kept in run.json and as the last key of every result file, so that a lost
 * run.json can recover it from there. Two runs of one dataset have two ids; two collections of one run have the same.
 */

/** A new id: `20261129-041500-3f9a0c27d1e4`, UTC and 48 random bits. */
export function makeRunId(): string {
    return `${formatTimePart(new Date())}-${randomBytes(6).toString('hex')}`;
}

/**
 * The id of a directory that has none yet but was run before, by version 0.1 or by the earlier tools: always the same for the
 * same directory, so that collecting it before and after this version wrote to it gives one run.
 * @param run its run.json, null if there is none
 * @param dir its absolute path, used only if run.json is missing
 */
export function deriveRunId(run: Pick<RunFile, 'created_at' | 'datasets'> | null, dir: string): string {
    if (run === null) return `earlier-${hashParts(['directory', dir])}`;
    const created = new Date(run.created_at);
    const time = Number.isNaN(created.getTime()) ? 'earlier' : formatTimePart(created);
    return `${time}-${hashParts(['run.json', run.created_at, run.datasets[0]?.path ?? ''])}`;
}

const formatTimePart = (time: Date): string =>
    time.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');

const hashParts = (parts: readonly string[]): string =>
    createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);

/**
 * The run id that the result files of a directory hold, for a start whose run.json has none.
 * @param names files of the directory
 * @returns null if no file holds one
 * @throws UserError (exit 2) if archive.json or an archive cannot be read
 */
export async function findRunId(
    dir: string,
    names: readonly string[],
    checkpoints: string,
): Promise<string | null> {
    for (const name of names) {
        const found = name.endsWith('.json') ? runIdAtEnd(join(dir, name)) : null;
        if (found !== null) return found;
    }
    const archives = await ArchiveList.load(checkpoints);
    for (const id of archives.ids()) {
        const run = (await archives.read(id))?.run ?? null;
        if (run !== null) return run;
    }
    return null;
}

/** Bytes: the last key and its value, with room to spare. */
const END = 512;

/** `"run": "<id>"` as the last member of the file. Ids become parts of file names, so only our own characters are accepted. */
const LAST_MEMBER = /"run"\s*:\s*"([A-Za-z0-9-]{1,64})"\s*\}\s*$/;

/** Reads only the end of the file: there may be a hundred thousand files. Null also if it cannot be read. */
function runIdAtEnd(path: string): string | null {
    try {
        // Whatever is there instead of a file must not block the start: opening a FIFO waits for its writer.
        const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
        try {
            const stats = fstatSync(file);
            if (!stats.isFile()) return null;
            const { size } = stats;
            const bytes = Buffer.alloc(Math.min(size, END));
            const length = readSync(file, bytes, 0, bytes.length, size - bytes.length);
            return LAST_MEMBER.exec(bytes.toString('utf8', 0, length))?.[1] ?? null;
        } finally {
            closeSync(file);
        }
    } catch {
        return null;
    }
}

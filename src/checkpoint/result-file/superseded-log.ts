import { join } from 'node:path';
import { openFile } from '../../host/open-file.js';
import { NotAFileError } from '../../util/regular-file.js';
import type { StoredEntry } from '../../model/checkpoint.js';
import { isJsonObject, type Json } from '../../model/json.js';
import { getIoCode } from '../../util/io-error.js';
import { SUPERSEDED } from './keep-old.js';

/** An entry that was replaced, or that no longer belongs to any task. */
export interface SupersededLine {
    readonly sample: string;
    readonly group: string;
    readonly entry: Pick<StoredEntry['entry'], 'fingerprint' | 'occurrence' | 'revision'>;
}

/**
 * The entries in superseded.jsonl, in the order in which they were replaced; empty if there is no such file. Torn or foreign
 * lines are skipped: `resume-run check` reports them.
 * @param dir `checkpoints/<dir name>`
 */
export async function* readSuperseded(dir: string): AsyncGenerator<SupersededLine> {
    try {
        const handle = await openFile(join(dir, SUPERSEDED));
        for await (const line of handle.readLines()) {
            const parsed = parseLine(line);
            if (parsed !== null) yield parsed;
        }
    } catch (error) {
        // If it is not a file, it is not ours: `resume-run check` reports it.
        if (getIoCode(error) !== 'ENOENT' && !(error instanceof NotAFileError)) throw error;
    }
}

function parseLine(line: string): SupersededLine | null {
    let json: Json;
    try {
        json = JSON.parse(line) as Json;
    } catch {
        return null;
    }
    if (!isJsonObject(json) || !isJsonObject(json.entry)) return null;
    const { sample, group } = json;
    const { fingerprint = null, occurrence = 0, revision = 1 } = json.entry;
    if (typeof sample !== 'string' || typeof group !== 'string') return null;
    if (typeof occurrence !== 'number' || typeof revision !== 'number') return null;
    if (fingerprint !== null && typeof fingerprint !== 'string') return null;
    return { sample, group, entry: { fingerprint, occurrence, revision } };
}

import { join } from 'node:path';
import { DurableWriter, makeDirectory } from '../../host/durable-write.js';
import { readTextFile } from '../../host/open-file.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import { type AggregateInfo, makeFileName } from '../store/manifest.js';

/** Folder of aggregate cells in a database. */
export const AGGREGATES = 'aggregates';

/**
 * Counts of an earlier database that has no records: one cell at its five coordinates, with the original numbers. Cells are shown
 * separately and enter no interval and no pass@k, because nobody can tell which results they count.
 */
export interface AggregateCell {
    /** Null if the earlier key does not say. */
    readonly model: string | null;
    readonly prompt_type: string | null;
    readonly tool_success_rate: string | null;
    readonly difficulty: string | null;
    readonly task_type: string | null;
    readonly total: number;
    readonly success: number;
    readonly partial: number;
    readonly failed: number;
    /** All numbers, as in the earlier file. */
    readonly numbers: JsonObject;
}

/** The cells of one earlier database. */
export interface AggregateSet {
    /** Name of the file that the cells were read from. */
    readonly source: string;
    /** SHA-256 of that file's content. */
    readonly sha256: string;
    readonly cells: readonly AggregateCell[];
}

/**
 * Writes the cells as JSON lines, durably. The caller must then name the file in the manifest.
 * @param dir the database's folder
 * @throws WriteError
 */
export async function writeAggregates(
    dir: string,
    holder: string,
    set: AggregateSet,
): Promise<AggregateInfo> {
    const folder = join(dir, AGGREGATES);
    await makeDirectory(folder);
    const name = makeFileName('.jsonl');
    const text = set.cells.map((cell) => `${JSON.stringify(cell)}\n`).join('');
    await new DurableWriter(folder, holder).write(name, [Buffer.from(text)]);
    return {
        path: `${AGGREGATES}/${name}`,
        cells: set.cells.length,
        source: set.source,
        sha256: set.sha256,
    };
}

/** Reads the cells of one file that the manifest names. */
export async function readAggregates(path: string): Promise<readonly JsonObject[]> {
    const lines = (await readTextFile(path)).split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as Json).filter(isJsonObject);
}

import { readJsonLineBatches, readJsonLines } from './json-lines.js';
import { readJsonValues } from './json-values.js';
import type { RawRow } from './row.js';

/** Rows of a dataset file: lines if its name says so (`.jsonl`, `.ndjson`), otherwise the objects in it. */
export function readRows(file: string): AsyncIterable<RawRow> {
    return isJsonLines(file) ? readJsonLines(file) : readJsonValues(file);
}

/** The same rows, in batches if they are lines. */
export async function* readRowBatches(file: string): AsyncIterable<readonly RawRow[]> {
    if (isJsonLines(file)) yield* readJsonLineBatches(file);
    else for await (const row of readJsonValues(file)) yield [row];
}

const isJsonLines = (file: string): boolean => /\.(jsonl|ndjson)$/i.test(file);

import { dirname } from 'node:path';
import type { AskEngine } from '../results/ask/engine.js';
import type { RecordFiles } from '../results/ask/views.js';
import { openRecords, type RecordPlace } from './records-of.js';

/**
 * Runs `action` with an engine over the records of a place; a database's parts are read where they are, records of result files
 * go through a scratch file.
 * @throws UserError (exit 2) if DuckDB is missing or there is nothing to read
 */
export async function withAskEngine<T>(
    place: RecordPlace,
    action: (engine: AskEngine, scratch: string) => Promise<T>,
): Promise<T> {
    // First of all: reading a hundred thousand files only to say that DuckDB is missing would be unkind.
    const { createDuckDb } = await import('../results/duckdb.js');
    (await createDuckDb()).closeSync();
    const [{ AskEngine: Engine }, { openScratch }] = await Promise.all([
        import('../results/ask/engine.js'),
        import('../compose/scratch.js'),
    ]);
    const scratch = await openScratch();
    let engine: AskEngine | null = null;
    try {
        engine = await Engine.open(await filesOf(place, scratch.path), scratch.path);
        return await action(engine, scratch.path);
    } finally {
        engine?.close();
        await scratch.remove();
    }
}

async function filesOf(place: RecordPlace, scratch: string): Promise<RecordFiles> {
    if (place.database !== null && place.dir === null) return await partsOf(place.database);
    const [{ recordLines }, { writeText }] = await Promise.all([
        import('../results/record/lines.js'),
        import('../host/output-file.js'),
    ]);
    const path = `${scratch}/records/records.jsonl`;
    await writeText(path, recordLines(await openRecords(place)));
    return { json: [path], parquet: [], folders: [`${scratch}/records`] };
}

async function partsOf(database: string): Promise<RecordFiles> {
    const { readGeneration } = await import('../results/store/read-generation.js');
    const parts = await (await readGeneration(database)).paths();
    const pathsOf = (codec: 'json' | 'parquet'): string[] =>
        parts.filter(({ part }) => part.codec === codec).map(({ path }) => path);
    const folders = [...new Set(parts.map(({ path }) => dirname(path)))];
    return { json: pathsOf('json'), parquet: pathsOf('parquet'), folders };
}

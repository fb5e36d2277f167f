import { dirname } from 'node:path';
import type { AskEngine } from '../results/ask/engine.js';
import type { RecordFiles, RecordSide } from '../results/ask/views.js';
import { openRecords, type RecordPlace } from './records-of.js';

/**
 * Runs `action` with an engine over the records of a place; a database's parts are read where they are, records of result files
 * go through a scratch file.
 * @throws UserError (exit 2) if DuckDB is missing or there is nothing to read
 */
export function withAskEngine<T>(
    place: RecordPlace,
    action: (engine: AskEngine, scratch: string) => Promise<T>,
): Promise<T> {
    return withEngine(async (Engine, scratch) => Engine.open(await filesOf(place, scratch), scratch), action);
}

/** One side of a comparison: a results directory, or a run of a database. */
export type ComparedRun =
    | { readonly kind: 'directory'; readonly dir: string }
    | { readonly kind: 'run'; readonly run: string; readonly database: string };

/** Runs `action` with an engine over the records of two runs. @throws as `withAskEngine` */
export function withPairEngine<T>(
    first: ComparedRun,
    second: ComparedRun,
    action: (engine: AskEngine, scratch: string) => Promise<T>,
): Promise<T> {
    const open = async (Engine: typeof AskEngine, scratch: string): Promise<AskEngine> =>
        Engine.openPair(
            await sideOf(first, `${scratch}/first`),
            await sideOf(second, `${scratch}/second`),
            scratch,
        );
    return withEngine(open, action);
}

async function sideOf(run: ComparedRun, scratch: string): Promise<RecordSide> {
    if (run.kind === 'run') return { ...(await partsOf(run.database)), run: run.run };
    const place = { dir: [run.dir], checkpoints: null, database: null };
    return { ...(await filesOf(place, scratch)), run: null };
}

async function withEngine<T>(
    open: (Engine: typeof AskEngine, scratch: string) => Promise<AskEngine>,
    action: (engine: AskEngine, scratch: string) => Promise<T>,
): Promise<T> {
    // First of all: reading a hundred thousand files only to say that DuckDB is missing would be unkind.
    const { createDuckDb } = await import('../results/duckdb.js');
    (await createDuckDb()).closeSync();
    const [{ AskEngine: Engine }, { openScratch }] = await Promise.all([
        import('../results/ask/engine.js'),
        import('../host/scratch.js'),
    ]);
    const scratch = await openScratch();
    let engine: AskEngine | null = null;
    try {
        engine = await open(Engine, scratch.path);
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

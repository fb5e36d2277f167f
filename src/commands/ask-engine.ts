import type { AskEngine } from '../results/ask/engine.js';
import type { RecordFiles, RecordSide } from '../results/ask/views.js';
import type { PinnedGeneration } from '../results/store/read-generation.js';
import { openBriefRecords, openRecords, type RecordPlace } from './records-of.js';

/**
 * Runs `action` with an engine over the records of a place. Parts of a database are read in place; records of result files go
 * through a scratch file.
 * @param fields the fields that the query uses; null: any
 * @throws UserError (exit 2) if DuckDB is missing or there is nothing to read
 */
export function withAskEngine<T>(
    place: RecordPlace,
    fields: readonly string[] | null,
    action: (engine: AskEngine, scratch: string) => Promise<T>,
): Promise<T> {
    return withEngine(
        async (Engine, scratch, pins) => Engine.open(await openFiles(place, fields, scratch, pins), scratch),
        action,
    );
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
    return withEngine(
        async (Engine, scratch, pins) =>
            Engine.openPair(
                await openSide(first, `${scratch}/first`, pins),
                await openSide(second, `${scratch}/second`, pins),
                scratch,
            ),
        action,
    );
}

async function openSide(run: ComparedRun, scratch: string, pins: PinnedGeneration[]): Promise<RecordSide> {
    if (run.kind === 'run') return { ...(await openParts(run.database, pins)), run: run.run };
    const place = { dir: [run.dir], checkpoints: null, database: null };
    return { ...(await openFiles(place, null, scratch, pins)), run: null };
}

async function withEngine<T>(
    open: (Engine: typeof AskEngine, scratch: string, pins: PinnedGeneration[]) => Promise<AskEngine>,
    action: (engine: AskEngine, scratch: string) => Promise<T>,
): Promise<T> {
    // Check this first: users should not wait for a hundred thousand files to be read only to learn that DuckDB is missing.
    const { requireDuckDb } = await import('../results/duckdb.js');
    requireDuckDb();
    const [{ AskEngine: Engine }, { openScratch }] = await Promise.all([
        import('../results/ask/engine.js'),
        import('../host/scratch.js'),
    ]);
    const scratch = await openScratch();
    const pins: PinnedGeneration[] = [];
    let engine: AskEngine | null = null;
    try {
        engine = await open(Engine, scratch.path, pins);
        return await action(engine, scratch.path);
    } finally {
        engine?.close();
        for (const pin of pins) await pin.close();
        await scratch.remove();
    }
}

/** @param pins collects what has to be closed at the end */
async function openFiles(
    place: RecordPlace,
    fields: readonly string[] | null,
    scratch: string,
    pins: PinnedGeneration[],
): Promise<RecordFiles> {
    if (place.database !== null && place.dir === null) return await openParts(place.database, pins);
    const folder = `${scratch}/records`;
    const path = `${folder}/records.jsonl`;
    const [{ briefLines, recordLines }, { isBriefField }, { writeScratchText }] = await Promise.all([
        import('../results/record/lines.js'),
        import('../results/record/record.js'),
        import('../host/output-file.js'),
    ]);
    const lines =
        place.database === null && fields?.every(isBriefField) === true
            ? briefLines((await openBriefRecords(place)).records)
            : recordLines(await openRecords(place));
    await writeScratchText(path, lines);
    return { json: [path], parquet: [], cells: [], folders: [folder] };
}

async function openParts(database: string, pins: PinnedGeneration[]): Promise<RecordFiles> {
    const { pinGeneration } = await import('../results/store/read-generation.js');
    const pinned = await pinGeneration(database);
    pins.push(pinned);
    const listPaths = (codec: 'json' | 'parquet'): string[] =>
        pinned.parts.filter(({ part }) => part.codec === codec).map(({ path }) => path);
    const cells = pinned.aggregates.map(({ path, info }) => ({
        path,
        source: info.source,
        count: info.cells,
    }));
    return { json: listPaths('json'), parquet: listPaths('parquet'), cells, folders: pinned.folders };
}

import type { AskEngine } from '../results/ask/engine.js';
import type { RecordFiles, RecordSide } from '../results/ask/views.js';
import { openRecordLines, type RecordPlace } from './records-of.js';

/**
 * Runs `action` with an engine over the records of a place; a database's parts are read where they are, records of result files
 * go through a scratch file.
 * @param fields of records that are asked for; null: any
 * @throws UserError (exit 2) if DuckDB is missing or there is nothing to read
 */
export function withAskEngine<T>(
    place: RecordPlace,
    fields: readonly string[] | null,
    action: (engine: AskEngine, scratch: string) => Promise<T>,
): Promise<T> {
    return withEngine(async (Engine, work) => {
        const source = await openSource(place, fields, `${work.scratch}/records`, work);
        return await Engine.open(work.begin(source), work.scratch);
    }, action);
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
    return withEngine(async (Engine, work) => {
        const readFirst = await openSide(first, `${work.scratch}/first`, work);
        const readSecond = await openSide(second, `${work.scratch}/second`, work);
        const sides = work.begin(async () => [await readFirst(), await readSecond()] as const);
        return await Engine.openPair(sides, work.scratch);
    }, action);
}

async function openSide(run: ComparedRun, folder: string, work: Work): Promise<() => Promise<RecordSide>> {
    const place =
        run.kind === 'run'
            ? { dir: null, checkpoints: null, database: run.database }
            : { dir: [run.dir], checkpoints: null, database: null };
    const read = await openSource(place, null, folder, work);
    return async () => ({ ...(await read()), run: run.kind === 'run' ? run.run : null });
}

/** What is open while a question is asked, and is closed in the end. */
class Work {
    readonly #stop = new AbortController();
    readonly #open: { close(): Promise<unknown> }[] = [];
    #reading: Promise<unknown> = Promise.resolve();

    constructor(readonly scratch: string) {}

    /** Aborted in the end: whatever is still being read is of no use then. */
    get signal(): AbortSignal {
        return this.#stop.signal;
    }

    /** Closes it in the end. */
    keep<C extends { close(): Promise<unknown> }>(opened: C): C {
        this.#open.push(opened);
        return opened;
    }

    /** Starts to read; the end waits for it. Who never looks at the result, having failed before, is not told of its failure. */
    begin<R>(read: () => Promise<R>): Promise<R> {
        const reading = read();
        this.#reading = reading.catch(() => undefined);
        return reading;
    }

    async close(): Promise<void> {
        this.#stop.abort();
        await this.#reading;
        for (const opened of this.#open) await opened.close();
    }
}

async function withEngine<T>(
    open: (Engine: typeof AskEngine, work: Work) => Promise<AskEngine>,
    action: (engine: AskEngine, scratch: string) => Promise<T>,
): Promise<T> {
    // First of all: reading a hundred thousand files only to say that DuckDB is missing would be unkind.
    const { requireInstalledDuckDb } = await import('../results/duckdb.js');
    requireInstalledDuckDb();
    const [{ AskEngine: Engine }, { openScratch }] = await Promise.all([
        import('../results/ask/engine.js'),
        import('../host/scratch.js'),
    ]);
    const scratch = await openScratch();
    const work = new Work(scratch.path);
    let engine: AskEngine | null = null;
    try {
        engine = await open(Engine, work);
        return await action(engine, scratch.path);
    } finally {
        engine?.close();
        await work.close();
        await scratch.remove();
    }
}

/** Opens what a place holds; what is returned reads it. */
async function openSource(
    place: RecordPlace,
    fields: readonly string[] | null,
    folder: string,
    work: Work,
): Promise<() => Promise<RecordFiles>> {
    if (place.database !== null && place.dir === null) {
        const files = await openParts(place.database, work);
        return () => Promise.resolve(files);
    }
    const { writeScratchText } = await import('../host/output-file.js');
    const { text } = work.keep(await openRecordLines(place, fields));
    const path = `${folder}/records.jsonl`;
    return async () => {
        await writeScratchText(path, text, work.signal);
        return { json: [path], parquet: [], cells: [], folders: [folder] };
    };
}

async function openParts(database: string, work: Work): Promise<RecordFiles> {
    const { pinGeneration } = await import('../results/store/read-generation.js');
    const pinned = work.keep(await pinGeneration(database));
    const listPaths = (codec: 'json' | 'parquet'): string[] =>
        pinned.parts.filter(({ part }) => part.codec === codec).map(({ path }) => path);
    const cells = pinned.aggregates.map(({ path, info }) => ({
        path,
        source: info.source,
        count: info.cells,
    }));
    return { json: listPaths('json'), parquet: listPaths('parquet'), cells, folders: pinned.folders };
}

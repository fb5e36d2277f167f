import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type {
    Dataset,
    DatasetCache,
    IndexedSample,
    ListOptions,
    TestMakerSource,
} from '../../src/dataset/dataset.js';
import { openDatasets } from '../../src/dataset/open.js';
import { RowFiles } from '../../src/dataset/row-files.js';
import type { FileStamp } from '../../src/model/checkpoint.js';
import type { Sample } from '../../src/model/sample.js';
import { afterTest } from '../rig/endings.js';

/** A folder with these files for one test, removed afterwards. */
export async function folderWith(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'resume-run-dataset-'));
    afterTest(() => rm(folder, { recursive: true, force: true }));
    for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name)), { recursive: true });
        await writeFile(join(folder, name), content);
    }
    return folder;
}

export const jsonLines = (rows: readonly unknown[]): string =>
    rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** A row as a plain object, which can be compared. */
export const copyRow = ({ id, locator, groups, fingerprint }: IndexedSample): IndexedSample => ({
    id,
    locator,
    groups,
    fingerprint,
});

/** An in-memory cache that counts its lookups. */
export class MemoryCache implements DatasetCache {
    hits = 0;
    readonly #files = new Map<string, { stamp: string; rows: string }>();

    get(file: string, stamp: FileStamp): readonly IndexedSample[] | null {
        const known = this.#files.get(file);
        if (known === undefined || known.stamp !== JSON.stringify(stamp)) return null;
        this.hits += 1;
        return JSON.parse(known.rows) as IndexedSample[];
    }

    set(file: string, stamp: FileStamp, rows: Iterable<IndexedSample>): void {
        const plain = Array.from(rows, copyRow);
        this.#files.set(file, { stamp: JSON.stringify(stamp), rows: JSON.stringify(plain) });
    }
}

export interface OpenSettings {
    readonly format?: string;
    readonly skipBadRows?: boolean;
    readonly cache?: DatasetCache;
    readonly lists?: Partial<ListOptions>;
    readonly testMaker?: TestMakerSource;
    /** Receives a line for each thing left out. */
    readonly onLeftOut?: (line: string) => void;
}

const LISTS: ListOptions = { accepted: false, rowsPerSample: 1000, bucketsOf: () => null };

export async function openAll(names: readonly string[], settings: OpenSettings = {}): Promise<Dataset[]> {
    const { format = null, skipBadRows = false, cache = new MemoryCache() } = settings;
    return openDatasets(names, {
        format,
        onLeftOut: settings.onLeftOut ?? (() => undefined),
        skipBadRows,
        cache,
        lists: { ...LISTS, ...settings.lists },
        files: rowFiles(),
        ...(settings.testMaker === undefined ? {} : { testMaker: settings.testMaker }),
    });
}

/** The compiled program of the thread that decodes Parquet. */
export const PARQUET_WORKER = new URL('../../dist/dataset/parquet-worker.js', import.meta.url);

/** Reads dataset files; the scratch files and the thread end with the test. */
function rowFiles(): RowFiles {
    const files = new RowFiles({
        scratch: () => folderWith({}),
        parquetWorker: PARQUET_WORKER,
    });
    afterTest(() => files.close());
    return files;
}

/** The dataset for a name that stands for exactly one. */
export async function openOne(name: string, settings: OpenSettings = {}): Promise<Dataset> {
    const datasets = await openAll([name], settings);
    const [dataset] = datasets;
    if (dataset === undefined || datasets.length !== 1)
        throw new Error(`${datasets.length} datasets at ${name}`);
    return dataset;
}

export async function indexOf(dataset: Dataset): Promise<IndexedSample[]> {
    const all: IndexedSample[] = [];
    for await (const several of dataset.index()) all.push(...several.map(copyRow));
    return all;
}

export async function loadAll(dataset: Dataset): Promise<Sample[]> {
    const samples: Sample[] = [];
    for (const indexed of await indexOf(dataset)) samples.push(await dataset.load(indexed));
    return samples;
}

/** Samples of one file with these rows. */
export async function samplesOf(rows: readonly unknown[], settings: OpenSettings = {}): Promise<Sample[]> {
    const folder = await folderWith({ 'rows.jsonl': jsonLines(rows) });
    return loadAll(await openOne(join(folder, 'rows.jsonl'), settings));
}

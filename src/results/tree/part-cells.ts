import { basename, join } from 'node:path';
import { readTextFile } from '../../host/open-file.js';
import { DurableWriter } from '../../host/durable-write.js';
import { makeHolderId } from '../../host/staging-name.js';
import { isJsonObject } from '../../model/json.js';
import { hasDuckDb } from '../duckdb.js';
import { CELLS_SUFFIX, KEYS } from '../store/key-files.js';
import type { StorageFormat } from '../result-store.js';
import type { PartInfo } from '../store/manifest.js';
import { loadCodec } from '../store/part-codec.js';
import { MasterTree, type PartCells } from './master-tree.js';

/*
 * keys/<part>.cells.json holds the records of a part added up by cell. Parts never change, so the tree is the sum of these files
 * and only new parts have to be read. It is a cache, like the keys: a file that is missing or does not match is rebuilt.
 */

/** Raise this when the way records are added up changes. */
const VERSION = 1;

/** Below this many records, reading them one by one is faster than loading the engine. */
const MAX_RECORDS_IN_SCRIPT = 5000;

/** A part and its current path. */
export interface PlacedPart {
    readonly part: PartInfo;
    readonly path: string;
}

/**
 * The records of each part, added up by cell: read from the cached files, or computed from the parts and then cached.
 * @throws PartError if a part had to be read and is damaged; WriteError
 */
export async function readPartCells(
    dir: string,
    parts: readonly PlacedPart[],
): Promise<readonly PartCells[]> {
    const known: PartCells[] = [];
    const others: PlacedPart[] = [];
    for (const placed of parts) {
        const cells = await readTextFile(join(dir, KEYS, cellsFile(placed.part))).then(
            (text) => parseCells(text, placed.part),
            () => null,
        );
        if (cells === null) others.push(placed);
        else known.push(cells);
    }
    const writer = new DurableWriter(join(dir, KEYS), makeHolderId());
    for (const [{ part }, cells] of await addUp(others)) {
        const text = JSON.stringify({ version: VERSION, records: part.records, ...cells });
        await writer.write(cellsFile(part), [Buffer.from(`${text}\n`)]);
        known.push(cells);
    }
    return known;
}

const cellsFile = (part: PartInfo): string => `${basename(part.path)}${CELLS_SUFFIX}`;

function parseCells(text: string, part: PartInfo): PartCells | null {
    try {
        const json: unknown = JSON.parse(text);
        if (!isJsonObject(json) || json.version !== VERSION || json.records !== part.records) return null;
        const cells = json as object as PartCells;
        // Rejects values that are not numbers.
        new MasterTree().addCells(cells);
        return cells;
    } catch {
        return null;
    }
}

async function addUp(parts: readonly PlacedPart[]): Promise<readonly (readonly [PlacedPart, PartCells])[]> {
    const added: (readonly [PlacedPart, PartCells])[] = [];
    const byEngine: Record<StorageFormat, PlacedPart[]> = { json: [], parquet: [] };
    for (const placed of parts) {
        const { codec, records } = placed.part;
        if (codec === 'parquet' || (records > MAX_RECORDS_IN_SCRIPT && (await hasDuckDb())))
            byEngine[codec].push(placed);
        else added.push([placed, await addUpOneByOne(placed)]);
    }
    for (const codec of ['json', 'parquet'] as const) {
        const some = byEngine[codec];
        if (some.length === 0) continue;
        const { addUpBySql } = await import('./cells-by-sql.js');
        const cells = await addUpBySql(
            some.map(({ path }) => path),
            codec,
        );
        for (const [at, placed] of some.entries()) added.push([placed, cells[at] ?? NO_CELLS]);
    }
    return added;
}

const NO_CELLS: PartCells = { without_model: 0, cells: [] };

async function addUpOneByOne({ part, path }: PlacedPart): Promise<PartCells> {
    const tree = new MasterTree();
    const codec = await loadCodec(part.codec);
    for await (const records of codec.readRecords(path)) for (const record of records) tree.add(record);
    return tree.partCells();
}

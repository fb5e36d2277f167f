import { basename, join } from 'node:path';
import { readTextFile } from '../../host/open-file.js';
import { DurableWriter } from '../../host/durable-write.js';
import { makeHolderId } from '../../host/staging-name.js';
import { isJsonObject } from '../../model/json.js';
import { hasDuckDb } from '../duckdb.js';
import { CELLS_SUFFIX, KEYS } from '../store/key-files.js';
import type { PartInfo } from '../store/manifest.js';
import { loadCodec } from '../store/part-codec.js';
import { MasterTree, type PartCells } from './master-tree.js';

/*
 * keys/<part>.cells.json holds the records of a part added up by cell. Parts never change, so the tree is the sum of these files
 * and only parts that came since are read. A cache, as the keys are: one that is missing or does not fit is made again.
 */

/** Raised when records are added up another way. */
const VERSION = 1;

/** Below this many records, reading them one by one takes less than loading the engine. */
const FEW_RECORDS = 5000;

/**
 * The records of one part, added up by cell; from its file, or from the part and then kept.
 * @param path where the part is now
 * @throws PartError if the part had to be read and is damaged; WriteError
 */
export async function readPartCells(dir: string, part: PartInfo, path: string): Promise<PartCells> {
    const name = `${basename(part.path)}${CELLS_SUFFIX}`;
    const known = await readTextFile(join(dir, KEYS, name)).then(
        (text) => parseCells(text, part),
        () => null,
    );
    if (known !== null) return known;
    const cells = await addUp(part, path);
    const bytes = Buffer.from(`${JSON.stringify({ version: VERSION, records: part.records, ...cells })}\n`);
    await new DurableWriter(join(dir, KEYS), makeHolderId()).write(name, [bytes]);
    return cells;
}

function parseCells(text: string, part: PartInfo): PartCells | null {
    try {
        const json: unknown = JSON.parse(text);
        if (!isJsonObject(json) || json.version !== VERSION || json.records !== part.records) return null;
        const cells = json as object as PartCells;
        // Refuses what does not hold numbers.
        new MasterTree().addCells(cells);
        return cells;
    } catch {
        return null;
    }
}

async function addUp(part: PartInfo, path: string): Promise<PartCells> {
    if (part.codec === 'parquet' || (part.records > FEW_RECORDS && (await hasDuckDb()))) {
        const { addUpBySql } = await import('./cells-by-sql.js');
        return addUpBySql(path, part.codec);
    }
    const tree = new MasterTree();
    const codec = await loadCodec(part.codec);
    for await (const records of codec.readRecords(path)) for (const record of records) tree.add(record);
    return tree.partCells();
}

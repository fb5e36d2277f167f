import { join } from 'node:path';
import { DurableWriter } from '../../host/durable-write.js';
import { makeHolderId } from '../../host/staging-name.js';
import type { JsonObject } from '../../model/json.js';
import { readAggregates } from '../aggregate/aggregate-files.js';
import { MASTER } from '../store/manifest.js';
import { readGeneration } from '../store/read-generation.js';
import { MasterTree } from './master-tree.js';
import { readPartCells } from './part-cells.js';

/**
 * Derives master_database.json from the generation that readers see now, reading only parts added since the last time, and
 * replaces it atomically. The caller must be the writer of the database and hold its lock.
 * @param dir the database's folder
 * @throws WriteError, UserError
 */
export async function writeMasterTree(dir: string): Promise<void> {
    const generation = await readGeneration(dir);
    const tree = new MasterTree();
    for (const cells of await readPartCells(dir, await generation.paths())) tree.addCells(cells);
    const { manifest } = generation;
    const aggregates: JsonObject[] = [];
    for (const { source, sha256, cells, path } of manifest.aggregates)
        aggregates.push({ source, sha256, count: cells, cells: await readAggregates(join(dir, path)) });
    const json = tree.toJson(manifest.created_at, {
        generation: manifest.generation,
        storage: manifest.storage,
        aggregates,
    });
    const text = `${JSON.stringify(json, null, 2)}\n`;
    await new DurableWriter(dir, makeHolderId()).write(MASTER, [Buffer.from(text)]);
}

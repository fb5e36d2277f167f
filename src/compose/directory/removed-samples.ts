import { join } from 'node:path';
import { ArchiveList } from '../../checkpoint/upkeep/archive-list.js';
import { FileNames } from '../../checkpoint/result-file/names.js';
import { readCheckpointFileAtOnce } from '../../checkpoint/result-file/read-file.js';
import { listFiles } from '../../host/listing.js';
import type { RemovedSamples } from '../../model/directory-sample.js';
import { RemovedList } from '../../report/removed.js';
import { TextSet } from '../../util/columns/text-set.js';
import type { Samples } from '../samples.js';
import type { RunPaths } from './run-paths.js';

/**
 * Finds samples with results that the datasets no longer have. Opens only files that are not named after a sample of the
 * datasets.
 * @param samples every sample of the directory's datasets
 * @throws UserError (exit 2) if a file cannot be read
 */
export async function findRemovedSamples(
    place: RunPaths,
    { whole, has: isKnown }: Pick<Samples, 'whole' | 'has'>,
): Promise<RemovedSamples> {
    const names = new FileNames(whole.ids());
    const listing = await listFiles(place.dir);
    // Before the first run there is nothing to compare with.
    const expected = new TextSet();
    if (listing.length > 0) for (const id of whole.ids()) expected.add(names.getFile(id));
    const removed = new Set<string>();
    for (const name of listing) {
        if (!name.endsWith('.json') || expected.has(name)) continue;
        const read = await readCheckpointFileAtOnce(join(place.dir, name));
        if (read.kind !== 'checkpoint' || isKnown(read.checkpoint.id)) continue;
        // A run would not find results in a file whose name does not match their id either.
        if ([...names.candidates(read.checkpoint.id)].includes(name)) removed.add(read.checkpoint.id);
    }
    for (const id of (await ArchiveList.load(place.checkpoints)).ids()) if (!isKnown(id)) removed.add(id);
    const list = new RemovedList();
    for (const id of removed) list.add(id);
    return list.value();
}

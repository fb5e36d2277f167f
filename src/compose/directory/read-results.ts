import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { chooseCheckpointsFolder } from '../../config.js';
import { listFileKinds } from '../../host/listing.js';
import type { StoredEntry } from '../../model/checkpoint.js';
import { UserError } from '../../util/user-error.js';
import { CheckpointReader } from './checkpoint-reader.js';

/** A finished task of a results directory. */
export interface FinishedTask {
    readonly sample: string;
    readonly group: string;
    /** Position in the dataset's list; null in files of the earlier tools. */
    readonly index: number | null;
    /** The entry in the result file; `index` and `fingerprint` are null in files of the earlier tools. */
    readonly entry: StoredEntry['entry'];
}

export interface ReadResultsOptions {
    /** The folder given by `--checkpoints`, if it is not beside the results directory. */
    readonly checkpoints?: string;
    /** Called for each file that is left out because it is not a result file. */
    readonly onNotice?: (message: string) => void;
}

/**
 * Reads every finished task of a results directory, sample by sample, including archived ones. It takes no lock, so a run may
 * write the directory meanwhile. Only a few samples are in memory at a time.
 * @param dir relative to the current folder
 * @throws UserError (exit 2) if the directory or one of its files cannot be read
 */
export async function* readResults(
    dir: string,
    options: ReadResultsOptions = {},
): AsyncGenerator<FinishedTask> {
    const path = resolve(dir);
    const checkpoints =
        options.checkpoints === undefined
            ? chooseCheckpointsFolder(path, null)
            : resolve(options.checkpoints);
    const reader = new CheckpointReader({ dir: path, checkpoints }, (file, why) =>
        options.onNotice?.(`${file} is left out: ${why}`),
    );
    const listing = await listFileKinds(path);
    if (listing.names.length === 0 && !existsSync(path))
        throw new UserError(`${path}: there is no such directory`);
    for await (const checkpoints of reader.read(listing, false)) {
        for (const { id, entries } of checkpoints) {
            for (const [group, stored] of entries)
                for (const { entry } of stored) yield { sample: id, group, index: entry.index, entry };
        }
    }
}

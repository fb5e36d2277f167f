import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { chooseCheckpointsFolder } from '../../config.js';
import { listFileKinds } from '../../host/listing.js';
import type { StoredEntry } from '../../model/checkpoint.js';
import { UserError } from '../../util/user-error.js';
import { CheckpointReader } from './checkpoint-reader.js';

/** One finished task of a results directory. */
export interface FinishedTask {
    readonly sample: string;
    readonly group: string;
    /** Position in the dataset's list; null in files of the earlier tools. */
    readonly index: number | null;
    /** What the result file holds of it; `index` and `fingerprint` are null in files of the earlier tools. */
    readonly entry: StoredEntry['entry'];
}

export interface ReadResultsOptions {
    /** The folder that `--checkpoints` named, if it is not beside the results directory. */
    readonly checkpoints?: string;
    /** Told of each file that is left out because it is not a result file. */
    readonly onNotice?: (message: string) => void;
}

/**
 * Reads every finished task of a results directory, sample by sample, archived ones too. It takes no lock: it may be read
 * while a run writes it. Memory is bounded by a few samples.
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

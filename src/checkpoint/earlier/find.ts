import { makeEarlierCheckpoint } from './earlier-checkpoint.js';
import { join } from 'node:path';
import { stampFile } from '../../host/stamp.js';
import type { Checkpoint, FileStamp } from '../../model/checkpoint.js';
import { isImported } from '../result-file/parse.js';
import { applyCheckerFile, nameCheckerFile, readCheckerFile } from './checker-file.js';
import { listEarlierFolders, readEarlierFolder } from './folder.js';

/** Results of the earlier tools that stand beside the result files: a folder for each sample, and checker files. */
/** Names in the results directory. */
type Listing = Pick<ReadonlySet<string>, 'has'>;

export class EarlierResults {
    readonly #dir: string;

    /** @param dir the results directory */
    constructor(dir: string) {
        this.#dir = dir;
    }

    /** A sample's checkpoint with the verdicts of its checker file, if it has one. @throws UserError (exit 2) */
    async withCheckerFile(checkpoint: Checkpoint, listing: Listing): Promise<Checkpoint> {
        const name = nameCheckerFile(checkpoint.id);
        if (name === null || !listing.has(name) || !mayChange(checkpoint)) return checkpoint;
        const checker = await readCheckerFile(this.#dir, name, checkpoint.id);
        return checker === null ? checkpoint : applyCheckerFile(checkpoint, name, checker.groups);
    }

    /** What an earlier tool left for a sample that has no result file; null if nothing. @throws UserError (exit 2) */
    async read(id: string, listing: Listing): Promise<Checkpoint | null> {
        for (const folder of listFolders(id, listing)) {
            const stamp = stampFile(join(this.#dir, folder));
            const found = stamp === null ? null : await readEarlierFolder(this.#dir, folder, id, stamp);
            if (found !== null) return await this.withCheckerFile(found, listing);
        }
        return await this.#readCheckerAlone(id, listing);
    }

    async #readCheckerAlone(id: string, listing: Listing): Promise<Checkpoint | null> {
        const name = nameCheckerFile(id);
        if (name === null || !listing.has(name)) return null;
        const checker = await readCheckerFile(this.#dir, name, id);
        if (checker === null) return null;
        return {
            ...makeEarlierCheckpoint(id, checker.groups, checker.stamp),
            earlier: { folder: null, checkerFile: name, changedVerdicts: 0, unusable: [] },
        };
    }

    /** Stamp of what `read` would look at; null if there is nothing. */
    stamp(id: string, listing: Listing): FileStamp | null {
        const checker = nameCheckerFile(id);
        const names = [...listFolders(id, listing)];
        if (checker !== null && listing.has(checker)) names.push(checker);
        for (const name of names) {
            const stamp = stampFile(join(this.#dir, name));
            if (stamp !== null) return stamp;
        }
        return null;
    }
}

/**
 * Entries judged by this tool never change. Entries of the earlier tools may, even after they were copied into one of our files.
 */
function mayChange({ origin, entries }: Checkpoint): boolean {
    return origin === 'earlier' || [...entries.values()].flat().some(({ entry }) => isImported(entry));
}

function* listFolders(id: string, listing: Listing): Generator<string> {
    for (const folder of listEarlierFolders(id)) {
        if (listing.has(folder.split('/', 1)[0] ?? '')) yield folder;
    }
}

import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { ArchiveList } from '../checkpoint/archive-list.js';
import { readCheckpointFile } from '../checkpoint/read-file.js';
import { sameStamp, stampFile } from '../host/stamp.js';
import type { Checkpoint, FileStamp } from '../model/checkpoint.js';
import type { ComputedLimits } from '../model/entry.js';
import { type SampleTally, tallyCheckpoint } from '../model/tally.js';
import { ioCode, ioReason } from '../util/io-error.js';
import { UserError } from '../util/user-error.js';
import type { Place } from './place.js';

/** Files read at once: more only wait for the same disk. */
const AT_ONCE = 8;

/** One sample's result file in figures. */
export interface ResultFile {
    readonly tally: SampleTally;
    readonly computedLimits: ComputedLimits | null;
    /** Milliseconds since the epoch: when it was written; null for archived ones. */
    readonly writtenAt: number | null;
    /** Milliseconds since the epoch: when its tasks ended, those after `since` only. */
    readonly ends: readonly number[];
}

/**
 * Reads the result files of a directory without its lock, during a run or after. Looking again costs only the files that
 * have changed.
 */
export class ResultFiles {
    readonly #seen = new Map<string, { readonly stamp: FileStamp; readonly file: ResultFile | null }>();

    /** @param onNotice told of files that cannot be understood; they are left out */
    constructor(
        private readonly place: Place,
        private readonly onNotice: (message: string) => void,
    ) {}

    /**
     * @param since milliseconds since the epoch
     * @throws UserError (exit 2) if the directory or one of its files cannot be read
     */
    async *read(since: number): AsyncGenerator<ResultFile> {
        const ids = new Set<string>();
        for await (const files of this.#batches(since)) {
            for (const file of files) {
                if (file === null || ids.has(file.tally.id)) continue;
                ids.add(file.tally.id);
                yield file;
            }
        }
        const archives = await ArchiveList.load(this.place.checkpoints);
        for (const id of archives.ids()) {
            if (ids.has(id)) continue;
            const checkpoint = await archives.read(id);
            if (checkpoint === null) continue;
            const { computedLimits } = checkpoint;
            yield { tally: tallyCheckpoint(checkpoint), computedLimits, writtenAt: null, ends: [] };
        }
    }

    async *#batches(since: number): AsyncGenerator<readonly (ResultFile | null)[]> {
        let batch: Promise<ResultFile | null>[] = [];
        for await (const name of namesIn(this.place.dir)) {
            batch.push(this.#readOne(join(this.place.dir, name), since));
            if (batch.length < AT_ONCE) continue;
            yield await Promise.all(batch);
            batch = [];
        }
        yield await Promise.all(batch);
    }

    async #readOne(path: string, since: number): Promise<ResultFile | null> {
        const before = this.#seen.get(path);
        const stamp = stampFile(path);
        if (before !== undefined && stamp !== null && sameStamp(before.stamp, stamp)) return before.file;
        const read = await readCheckpointFile(path, null);
        if (read.kind === 'absent') return null;
        if (read.kind !== 'checkpoint') {
            // Said once, however often it is looked at again.
            if (stamp !== null) this.#seen.set(path, { stamp, file: null });
            const why = read.kind === 'corrupt' ? read.why : 'it is of another sample';
            this.onNotice(`${path} is left out: ${why}; resume-run check says more`);
            return null;
        }
        const file = figures(read.checkpoint, since);
        this.#seen.set(path, { stamp: read.checkpoint.stamp, file });
        return file;
    }
}

async function* namesIn(dir: string): AsyncGenerator<string> {
    try {
        for await (const entry of await opendir(dir)) {
            if (entry.name.endsWith('.json') && !entry.isDirectory()) yield entry.name;
        }
    } catch (error) {
        if (ioCode(error) === 'ENOENT')
            throw new UserError(`${dir}: there is no such directory; name it with --dir`);
        if (ioCode(error) === null) throw error;
        throw new UserError(`cannot read ${dir}: ${ioReason(error)}`, 2, { cause: error });
    }
}

function figures(checkpoint: Checkpoint, since: number): ResultFile {
    const ends: number[] = [];
    for (const list of checkpoint.entries.values()) {
        for (const { entry } of list) {
            const last = entry.attempts.at(-1);
            const end = last === undefined ? Number.NaN : Date.parse(last.started_at) + last.duration * 1000;
            if (end >= since) ends.push(end);
        }
    }
    const { computedLimits, stamp } = checkpoint;
    return { tally: tallyCheckpoint(checkpoint), computedLimits, writtenAt: Number(stamp.mtime) / 1e6, ends };
}

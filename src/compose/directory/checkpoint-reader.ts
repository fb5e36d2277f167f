import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { readCheckpointFile, readListedCheckpointFile } from '../../checkpoint/result-file/read-file.js';
import { ArchiveList } from '../../checkpoint/upkeep/archive-list.js';
import type { FileListing } from '../../host/listing.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import type { RunPaths } from './run-paths.js';

/**
 * Files between two turns of the event loop, which let signals and the display through although small files are read by
 * synchronous calls.
 */
const FILES_BETWEEN_TURNS = 256;

/** Small files that are passed on together. */
const AT_ONCE = 32;

/** Makes a callback that prints a notice about each file that is not a result file. */
export const tellOther =
    (onNotice: (message: string) => void) =>
    (path: string, why: string): void =>
        onNotice(`${path} is left out: ${why}; resume-run check says more`);

/** Reads the result files of a directory one after the other, each sample once, without keeping any of them. */
export class CheckpointReader {
    readonly #place: RunPaths;
    readonly #onOther: (path: string, why: string) => void;
    /** Samples read so far whose file is in our own format. Add ids beforehand to skip them. */
    readonly current = new Set<string>();

    /** @param onOther called for each file that is not a result file, with the reason */
    constructor(place: RunPaths, onOther: (path: string, why: string) => void) {
        this.#place = place;
        this.#onOther = onOther;
    }

    /**
     * @param listing of the directory, or a part of it
     * @param isPart whether it is only a part, in which case archives are left out
     * @throws UserError (exit 2) if one of the files cannot be read
     */
    async *read(listing: FileListing, isPart: boolean): AsyncGenerator<readonly Checkpoint[]> {
        const earlier: string[] = [];
        for await (const read of this.#checkpoints(listing)) {
            const fresh: Checkpoint[] = [];
            for (const { name, checkpoint } of read) {
                // Files of the earlier tools come last: a start that was killed while it upgraded a sample leaves both of its
                // files.
                if (checkpoint.origin === 'earlier') earlier.push(name);
                else if (this.#isNew(checkpoint.id)) fresh.push(checkpoint);
            }
            yield fresh;
        }
        if (!isPart) yield* this.#archived();
        for await (const read of this.#checkpoints({ ...listing, names: earlier })) {
            const checkpoints = read.map(({ checkpoint }) => checkpoint);
            yield checkpoints.filter(({ id }) => !this.current.has(id));
        }
    }

    /** Only one of two files of the same sample counts. */
    #isNew(id: string): boolean {
        if (this.current.has(id)) return false;
        this.current.add(id);
        return true;
    }

    async *#archived(): AsyncGenerator<readonly Checkpoint[]> {
        const archives = await ArchiveList.load(this.#place.checkpoints);
        for (const id of archives.ids()) {
            if (!this.#isNew(id)) continue;
            const checkpoint = await archives.read(id);
            if (checkpoint !== null) yield [checkpoint];
        }
    }

    /** Yields several small files together: a turn of the event loop for each takes longer than reading it. */
    async *#checkpoints({ names, others }: FileListing): AsyncGenerator<readonly NamedCheckpoint[]> {
        let read: NamedCheckpoint[] = [];
        let files = 0;
        for (const name of names) {
            if (!name.endsWith('.json') || name.startsWith('.')) continue;
            const path = join(this.#place.dir, name);
            const small = others.has(name) ? null : readListedCheckpointFile(path);
            const result = small ?? (await readCheckpointFile(path, null));
            if (result.kind === 'checkpoint') read.push({ name, checkpoint: result.checkpoint });
            else if (result.kind === 'corrupt') this.#onOther(path, result.why);
            files += 1;
            if (files % FILES_BETWEEN_TURNS === 0) await setImmediate();
            if (small !== null && read.length < AT_ONCE) continue;
            yield read;
            read = [];
        }
        yield read;
    }
}

interface NamedCheckpoint {
    readonly name: string;
    readonly checkpoint: Checkpoint;
}

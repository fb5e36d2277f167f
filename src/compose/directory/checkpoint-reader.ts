import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { readCheckpointFileAtOnce } from '../../checkpoint/result-file/read-file.js';
import { ArchiveList } from '../../checkpoint/upkeep/archive-list.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import type { RunPaths } from './run-paths.js';

/** Files read at once: more only wait for the same disk. */
const FILES_AT_ONCE = 8;

/** Files after which signals are heard and the display goes on, although small files are read by synchronous calls. */
const FILES_BETWEEN_TURNS = 32 * FILES_AT_ONCE;

/** Reads the result files of a directory one after the other, each sample once, and keeps none of them. */
export class CheckpointReader {
    readonly #place: RunPaths;
    readonly #onOther: (path: string, why: string) => void;
    /** Samples in our own format that were read so far. */
    readonly current = new Set<string>();

    /** @param onOther told of each file that is not a result file, and why it is not */
    constructor(place: RunPaths, onOther: (path: string, why: string) => void) {
        this.#place = place;
        this.#onOther = onOther;
    }

    /**
     * @param names of the files to read
     * @param isPart whether they are only some of the directory's: archives are left out then
     * @throws UserError (exit 2) if one of the files cannot be read
     */
    async *read(names: readonly string[], isPart: boolean): AsyncGenerator<Checkpoint> {
        const earlier: string[] = [];
        for await (const [name, checkpoint] of this.#checkpoints(names)) {
            // Read last: a start that was killed while it upgraded a sample leaves both its files.
            if (checkpoint.origin === 'earlier') earlier.push(name);
            else if (this.#isNew(checkpoint.id)) yield checkpoint;
        }
        if (!isPart) yield* this.#archived();
        for await (const [, checkpoint] of this.#checkpoints(earlier))
            if (!this.current.has(checkpoint.id)) yield checkpoint;
    }

    /** Of two files of one sample only one counts. */
    #isNew(id: string): boolean {
        if (this.current.has(id)) return false;
        this.current.add(id);
        return true;
    }

    async *#archived(): AsyncGenerator<Checkpoint> {
        const archives = await ArchiveList.load(this.#place.checkpoints);
        for (const id of archives.ids()) {
            if (!this.#isNew(id)) continue;
            const checkpoint = await archives.read(id);
            if (checkpoint !== null) yield checkpoint;
        }
    }

    async *#checkpoints(names: readonly string[]): AsyncGenerator<readonly [string, Checkpoint]> {
        const files = names.filter((name) => name.endsWith('.json') && !name.startsWith('.'));
        for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
            if (at % FILES_BETWEEN_TURNS === 0) await setImmediate();
            const some = files.slice(at, at + FILES_AT_ONCE);
            const read = await Promise.all(
                some.map((name) => readCheckpointFileAtOnce(join(this.#place.dir, name))),
            );
            for (const [position, result] of read.entries()) {
                const name = some[position] ?? '';
                if (result.kind === 'checkpoint') yield [name, result.checkpoint];
                else if (result.kind === 'corrupt') this.#onOther(join(this.#place.dir, name), result.why);
            }
        }
    }
}

import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { readCheckpointFile, readListedCheckpointFile } from '../../checkpoint/result-file/read-file.js';
import { ArchiveList } from '../../checkpoint/upkeep/archive-list.js';
import type { FileListing } from '../../host/listing.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import type { RunPaths } from './run-paths.js';

/** Files after which signals are heard and the display goes on, although small files are read by synchronous calls. */
const FILES_BETWEEN_TURNS = 256;

/** Small files that are handed on together. */
const AT_ONCE = 32;

/** A result file, or what was made of one. */
export type ReadFile = Pick<Checkpoint, 'id' | 'origin'>;

export interface NamedFile<F extends ReadFile> {
    readonly name: string;
    readonly file: F;
}

/** Reads result files elsewhere than in this thread. */
export interface FileReaders<F extends ReadFile> {
    /** In the order of their names. `left`: names that are for the caller to read: large files, and those that cannot be read. */
    read(
        names: readonly string[],
    ): AsyncIterable<{ readonly files: readonly NamedFile<F>[]; readonly left: readonly string[] }>;
}

export interface CheckpointReaderOptions<F extends ReadFile> {
    /** What is handed on of a result file. */
    readonly convert: (checkpoint: Checkpoint) => F;
    /** Told of each file that is not a result file, and why it is not. */
    readonly onOther: (path: string, why: string) => void;
    /** Reads what it can of a listing; null: everything is read here. */
    readonly readers?: FileReaders<F> | null;
}

/** Reads the result files of a directory one after the other, each sample once, and keeps none of them. */
export class CheckpointReader<F extends ReadFile> {
    /** Samples in our own format that were read so far. */
    readonly current = new Set<string>();

    constructor(
        private readonly place: RunPaths,
        private readonly options: CheckpointReaderOptions<F>,
    ) {}

    /**
     * @param listing of the directory, or a part of it
     * @param isPart whether it is only a part: archives are left out then
     * @throws UserError (exit 2) if one of the files cannot be read
     */
    async *read(listing: FileListing, isPart: boolean): AsyncGenerator<readonly F[]> {
        const earlier: string[] = [];
        for await (const read of this.#listed(listing)) {
            const fresh: F[] = [];
            for (const { name, file } of read) {
                // Read last: a start that was killed while it upgraded a sample leaves both its files.
                if (file.origin === 'earlier') earlier.push(name);
                else if (this.#isNew(file.id)) fresh.push(file);
            }
            yield fresh;
        }
        if (!isPart) yield* this.#archived();
        for await (const read of this.#files(earlier, listing.others)) {
            const files = read.map(({ file }) => file);
            yield files.filter(({ id }) => !this.current.has(id));
        }
    }

    /** Of two files of one sample only one counts. */
    #isNew(id: string): boolean {
        if (this.current.has(id)) return false;
        this.current.add(id);
        return true;
    }

    async *#archived(): AsyncGenerator<readonly F[]> {
        const archives = await ArchiveList.load(this.place.checkpoints);
        for (const id of archives.ids()) {
            if (!this.#isNew(id)) continue;
            const checkpoint = await archives.read(id);
            if (checkpoint !== null) yield [this.options.convert(checkpoint)];
        }
    }

    async *#listed({ names, others }: FileListing): AsyncGenerator<readonly NamedFile<F>[]> {
        const listed = names.filter((name) => name.endsWith('.json') && !name.startsWith('.'));
        const { readers = null } = this.options;
        if (readers === null) {
            yield* this.#files(listed, others);
            return;
        }
        for await (const { files, left } of readers.read(listed.filter((name) => !others.has(name)))) {
            yield files;
            if (left.length > 0) yield* this.#files(left, others);
        }
        yield* this.#files(
            listed.filter((name) => others.has(name)),
            others,
        );
    }

    /** Small ones some at a time: a turn of the event loop for each of them takes longer than to read it. */
    async *#files(
        names: readonly string[],
        others: FileListing['others'],
    ): AsyncGenerator<readonly NamedFile<F>[]> {
        const { convert, onOther } = this.options;
        let read: NamedFile<F>[] = [];
        let files = 0;
        for (const name of names) {
            const path = join(this.place.dir, name);
            const small = others.has(name) ? null : readListedCheckpointFile(path);
            const result = small ?? (await readCheckpointFile(path, null));
            if (result.kind === 'checkpoint') read.push({ name, file: convert(result.checkpoint) });
            else if (result.kind === 'corrupt') onOther(path, result.why);
            files += 1;
            if (files % FILES_BETWEEN_TURNS === 0) await setImmediate();
            if (small !== null && read.length < AT_ONCE) continue;
            yield read;
            read = [];
        }
        yield read;
    }
}

import type { Dir } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { ArchiveList } from '../../checkpoint/upkeep/archive-list.js';
import { nameCheckerFile } from '../../checkpoint/earlier/checker-file.js';
import { FileNames, makePlainName } from '../../checkpoint/result-file/names.js';
import { readCheckpointFileAtOnce } from '../../checkpoint/result-file/read-file.js';
import { isSameStamp, stampFile } from '../../host/stamp.js';
import type { Checkpoint, FileStamp } from '../../model/checkpoint.js';
import { type DirectorySample, tallyUntouched, withDatasetTotals } from '../../model/directory-sample.js';
import { tallyCheckpoint } from '../../model/tally.js';
import { TextSet } from '../../util/columns/text-set.js';
import { getIoCode, describeIoError } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import type { KnownFiles } from './directory-indexes.js';
import type { KnownSamples } from './known-samples.js';
import type { RunPaths } from './run-paths.js';

/** Files read at once; more would only wait for the same disk. */
const AT_ONCE = 8;

/** Figures that are passed on together if their files were not read. */
const VOUCHED_AT_ONCE = 256;

/** A sample, and the data picked from its file; null if nothing was picked or there is no file. */
export interface PickedSample<T> extends DirectorySample {
    readonly picked: T | null;
}

/** The figures of one result file. */
type FileFigures<T> = Omit<PickedSample<T>, 'standing'>;

export interface ResultFilesOptions<T> {
    /** Called for files that are not valid; they are left out. */
    readonly onNotice: (message: string) => void;
    /** Selects what is kept of each file besides its figures. */
    readonly pick?: ((checkpoint: Checkpoint) => T) | undefined;
    /** Whether the files are read more than once; if so, each file's figures are kept for the next time. */
    readonly again: boolean;
}

/**
 * Reads the result files of a directory without its lock, during a run or after it. Repeated reads cost only the files that have
 * changed.
 */
export class ResultFiles<T = null> {
    readonly #seen = new Map<string, { readonly stamp: FileStamp; readonly file: FileFigures<T> | null }>();
    readonly #misplaced = new Set<string>();

    constructor(
        private readonly place: RunPaths,
        private readonly options: ResultFilesOptions<T>,
    ) {}

    /**
     * Yields every sample of the directory once: those of the datasets, with or without a file, and those that were removed from
     * them.
     * @param since milliseconds since the epoch
     * @param known samples of the datasets; null if they are unknown, in which case every file counts
     * @param vouched files that do not have to be read
     * @throws UserError (exit 2) if the directory or one of its files cannot be read
     */
    async *read(
        since: number,
        known: KnownSamples | null,
        vouched: Promise<KnownFiles> | null = null,
    ): AsyncGenerator<PickedSample<T>> {
        const names = new FileNames(known?.ids() ?? []);
        const ids = new TextSet();
        const take = (file: FileFigures<T>): PickedSample<T> | null => {
            const { id } = file.tally;
            if (ids.has(id)) return null;
            ids.add(id);
            return withStanding(file, known);
        };
        // If several files have the same id, a start takes the first of its candidates, which is only known after all have been
        // seen.
        const others = new Map<string, { readonly rank: number; readonly file: FileFigures<T> }>();
        for await (const files of this.#batches(since, await vouched)) {
            for (const [name, file] of files) {
                if (file === null) continue;
                const { id } = file.tally;
                const rank = name === names.getFile(id) ? 0 : [...names.candidates(id)].indexOf(name);
                if (rank < 0 && name !== nameCheckerFile(id)) this.#tellMisplaced(name, id);
                else if (rank > 0 && rank < (others.get(id)?.rank ?? Infinity))
                    others.set(id, { rank, file });
                const sample = rank === 0 ? take(file) : null;
                if (sample !== null) yield sample;
            }
        }
        for (const { file } of others.values()) {
            const sample = take(file);
            if (sample !== null) yield sample;
        }
        const archives = await ArchiveList.load(this.place.checkpoints);
        for (const id of archives.ids()) {
            if (ids.has(id)) continue;
            const checkpoint = await archives.read(id);
            if (checkpoint === null) continue;
            const { computedLimits } = checkpoint;
            const sample = take({
                tally: tallyCheckpoint(checkpoint),
                computedLimits,
                writtenAt: null,
                ends: [],
                picked: this.options.pick?.(checkpoint) ?? null,
            });
            if (sample !== null) yield sample;
        }
        for (const [id, groups] of known ?? []) {
            if (ids.has(id)) continue;
            const tally = tallyUntouched(id, groups);
            yield {
                standing: 'not begun',
                tally,
                computedLimits: null,
                writtenAt: null,
                ends: [],
                picked: null,
            };
        }
    }

    #tellMisplaced(name: string, id: string): void {
        if (this.#misplaced.has(name)) return;
        this.#misplaced.add(name);
        this.options.onNotice(
            `${join(this.place.dir, name)} is left out: it holds ${JSON.stringify(id)}, which a run looks for in ${makePlainName(id)}; ` +
                'resume-run check says more',
        );
    }

    async *#batches(
        since: number,
        vouched: KnownFiles | null,
    ): AsyncGenerator<readonly (readonly [string, FileFigures<T> | null])[]> {
        const found: (readonly [string, FileFigures<T>])[] = [];
        let batch: Promise<readonly [string, FileFigures<T> | null]>[] = [];
        for await (const some of listNamesIn(this.place.dir)) {
            for (const { name, isRegular } of some) {
                const file = isRegular ? this.#findVouched(name, since, vouched) : null;
                if (file !== null) {
                    found.push([name, file]);
                    if (found.length < VOUCHED_AT_ONCE) continue;
                    yield found;
                    found.length = 0;
                    await setImmediate();
                    continue;
                }
                const read = this.#readOne(join(this.place.dir, name), isRegular, since);
                batch.push(read.then((file) => [name, file] as const));
                if (batch.length < AT_ONCE) continue;
                yield await Promise.all(batch);
                batch = [];
            }
        }
        yield await Promise.all(batch);
        yield found;
    }

    /**
     * The figures of a file that a start vouches for; null if more than figures is needed, or if a task in it may have ended
     * since.
     */
    #findVouched(name: string, since: number, vouched: KnownFiles | null): FileFigures<T> | null {
        const { again, pick } = this.options;
        const known = vouched === null || pick !== undefined ? null : vouched.find(name);
        if (known === null) return null;
        const { tally, computedLimits, stamp } = known;
        const writtenAt = toMilliseconds(stamp);
        if (writtenAt >= since) return null;
        const file = { tally, computedLimits, writtenAt, ends: [], picked: null };
        if (again) this.#seen.set(join(this.place.dir, name), { stamp, file });
        return file;
    }

    /** @param isRegular whether the listing reports it as a regular file */
    async #readOne(path: string, isRegular: boolean, since: number): Promise<FileFigures<T> | null> {
        const { again, onNotice, pick } = this.options;
        const stamp = again ? stampFile(path) : null;
        const before = this.#seen.get(path);
        if (before !== undefined && stamp !== null && isSameStamp(before.stamp, stamp)) return before.file;
        const read = await readCheckpointFileAtOnce(path, isRegular);
        if (read.kind === 'absent') return null;
        if (read.kind !== 'checkpoint') {
            // Reported once, even if it is looked at repeatedly.
            if (stamp !== null) this.#seen.set(path, { stamp, file: null });
            const why = read.kind === 'corrupt' ? read.why : 'it is of another sample';
            onNotice(`${path} is left out: ${why}; resume-run check says more`);
            return null;
        }
        const { tally, computedLimits, writtenAt, ends } = computeFigures(read.checkpoint, since);
        // No spread: adding keys to a copy one by one takes ten times as long as an object literal.
        const file = { tally, computedLimits, writtenAt, ends, picked: pick?.(read.checkpoint) ?? null };
        if (again) this.#seen.set(path, { stamp: read.checkpoint.stamp, file });
        return file;
    }
}

function withStanding<T>(file: FileFigures<T>, known: KnownSamples | null): PickedSample<T> {
    if (known === null) return { ...file, standing: 'begun' };
    const groups = known.find(file.tally.id);
    return groups === null
        ? { ...file, standing: 'removed' }
        : { ...file, standing: 'begun', tally: withDatasetTotals(file.tally, groups) };
}

/** Names of possible result files, in batches as the directory is listed. */
async function* listNamesIn(dir: string): AsyncGenerator<readonly ListedFile[]> {
    let folder: Dir | null = null;
    try {
        folder = await opendir(dir, { bufferSize: LISTED_AT_ONCE });
        let some: ListedFile[] = [];
        for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
            if (entry.name.endsWith('.json') && !entry.isDirectory())
                some.push({ name: entry.name, isRegular: entry.isFile() });
            if (some.length < LISTED_AT_ONCE) continue;
            yield some;
            some = [];
        }
        yield some;
    } catch (error) {
        if (getIoCode(error) === 'ENOENT')
            throw new UserError(`${dir}: there is no such directory; name it with --dir`);
        if (getIoCode(error) === null) throw error;
        throw new UserError(`cannot read ${dir}: ${describeIoError(error)}`, 2, { cause: error });
    } finally {
        await folder?.close();
    }
}

interface ListedFile {
    readonly name: string;
    readonly isRegular: boolean;
}

/** The same number as in the file listing of a start. */
const LISTED_AT_ONCE = 4096;

const toMilliseconds = ({ mtime }: FileStamp): number => Number(mtime) / 1e6;

function computeFigures(checkpoint: Checkpoint, since: number): Omit<DirectorySample, 'standing'> {
    const ends: number[] = [];
    for (const list of checkpoint.entries.values()) {
        for (const { entry } of list) {
            const last = entry.attempts.at(-1);
            const end = last === undefined ? Number.NaN : Date.parse(last.started_at) + last.duration * 1000;
            if (end >= since) ends.push(end);
        }
    }
    const { computedLimits, stamp } = checkpoint;
    return { tally: tallyCheckpoint(checkpoint), computedLimits, writtenAt: toMilliseconds(stamp), ends };
}

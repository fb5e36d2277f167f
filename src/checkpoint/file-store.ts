import { constants } from 'node:fs';
import { access, rename, rm } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { DurableWriter, makeDirectory, syncDirectory } from '../host/durable-write.js';
import { listManyFiles } from '../host/listing.js';
import { stampFile } from '../host/stamp.js';
import { WriteError } from '../host/write-error.js';
import type { Checkpoint, FileStamp, SampleState, SupersededEntry } from '../model/checkpoint.js';
import { describeIoError } from '../util/io-error.js';
import type { TextSet } from '../util/columns/text-set.js';
import { UserError } from '../util/user-error.js';
import { ArchiveList } from './upkeep/archive-list.js';
import { quarantinePath } from './result-file/quarantine.js';
import { EarlierResults } from './earlier/find.js';
import { OldResults } from './result-file/keep-old.js';
import { makeEarlierName, type FileNames, makeHashedName, makePlainName } from './result-file/names.js';
import { readCheckpointFile, SampleFileReader } from './result-file/read-file.js';
import { SampleContent } from './result-file/sample-content.js';
import { FileSampleWriter } from './result-file/sample-writer.js';
import { LostFiles } from './run-directory/lost-files.js';
import type { CheckpointStore, SampleWriter } from './store.js';

export interface FileStoreOptions {
    /** The results directory; made on first use, unless `readOnly`. */
    readonly dir: string;
    /** `checkpoints/<dir name>`, which keeps what is replaced. */
    readonly checkpointsDir: string;
    /** Id of this run (a lock's `id`); names its temporary files. */
    readonly holder: string;
    readonly names: FileNames;
    /** Id of the run, read at every write; without it, files hold no id. */
    readonly run?: () => string | null;
    /** Receives a line for the user when a file is moved aside. */
    readonly onNotice: (message: string) => void;
    /** Called before each commit; throws if the directory now belongs to another run, after which nothing is written. */
    readonly stillHolder?: () => Promise<void>;
    /** Tells whether an earlier start saw a file of this sample; without it, nothing is known. */
    readonly hadFile?: (id: string) => boolean;
    /** For readers without the lock: nothing is moved aside. */
    readonly readOnly?: boolean;
    /** Names in the results directory if it has been listed already; the store keeps the list up to date. */
    readonly listing?: TextSet;
    /** Most bytes of results that may wait to be written. */
    readonly waitingBytes?: number;
}

/** Where a sample's file is or will be, and what it holds. */
interface Located {
    readonly file: string;
    readonly checkpoint: Checkpoint | null;
}

const WRITES_AT_ONCE = 16;
const WAITING_BYTES = 64 * 1024 * 1024;

/** Result files in a directory. @throws (from its methods) WriteError, UserError */
export function createFileStore(options: FileStoreOptions): CheckpointStore {
    return new FileStore(options);
}

class FileStore implements CheckpointStore {
    readonly #options: FileStoreOptions;
    readonly #writer: DurableWriter;
    readonly #old: OldResults;
    readonly #earlier: EarlierResults;
    readonly #reader = new SampleFileReader();
    readonly #open = new Set<FileSampleWriter>();
    #archives: Promise<ArchiveList> | null = null;
    /** Names in the results directory: read once, then kept up. */
    #listing: Promise<TextSet> | null = null;
    #listed: TextSet | null = null;
    /** The directory was empty at the start, and every file written since has its sample's first-choice name. */
    #hasOnlyOwn = false;
    /** Files of samples that were read but are not open yet. */
    readonly #located = new Map<string, string>();
    #lost: Promise<LostFiles> | null = null;
    /** Records in new files get revisions above this one. */
    #firstRevision = 0;
    #writes = 0;
    readonly #queue: (() => void)[] = [];
    #waiting = 0;
    #roomMade: { readonly promise: Promise<void>; readonly resolve: () => void } | null = null;

    constructor(options: FileStoreOptions) {
        this.#options = options;
        this.#writer = new DurableWriter(options.dir, options.holder);
        this.#old = new OldResults(options.checkpointsDir, options.holder);
        this.#earlier = new EarlierResults(options.dir);
    }

    async read(id: string): Promise<Checkpoint | null> {
        const found = await this.#locate(id);
        this.#located.set(id, found.file);
        if (found.checkpoint === null && this.#options.readOnly !== true) await this.#prepareNewFile(id);
        return found.checkpoint;
    }

    async #prepareNewFile(id: string): Promise<void> {
        const lost = await this.#lostFiles();
        if (this.#options.hadFile?.(id) === true) await lost.raise();
        this.#firstRevision = lost.revision;
    }

    async isEmpty(): Promise<boolean> {
        return (await this.#list()).size === 0 && (await this.#archived()).size === 0;
    }

    stamp(id: string): FileStamp | null | Promise<FileStamp | null> {
        if (this.#listed === null) return this.#list().then(() => this.stamp(id));
        // Nearly always there, and looked up once for every sample.
        const likely = this.#options.names.getFile(id);
        const found = this.#listed.has(likely) ? this.#findStamp(likely) : null;
        if (found !== null) return found;
        for (const name of this.#options.names.candidates(id)) {
            const stamp = this.#listed.has(name) ? this.#findStamp(name) : null;
            if (stamp !== null) return stamp;
        }
        const listed = this.#listed;
        return this.#archived().then((archives) => archives.stamp(id) ?? this.#earlier.stamp(id, listed));
    }

    #findStamp(name: string): FileStamp | null {
        return stampFile(`${this.#options.dir}${sep}${name}`);
    }

    open(state: SampleState): SampleWriter {
        const { id } = state;
        let first = true;
        let file: string | undefined = this.#located.get(id);
        this.#located.delete(id);
        const replace = async (
            chunks: readonly Buffer[],
            lost: readonly SupersededEntry[],
        ): Promise<FileStamp> => {
            await this.#options.stillHolder?.();
            file ??= (await this.#locate(id)).file;
            const target = first ? await this.#firstTarget(state, file) : file;
            await this.#old.append(id, lost);
            const stamp = await this.#writer.write(target, chunks);
            if (target !== file) await this.#removeMoved(file);
            (await this.#list()).add(target);
            file = target;
            first = false;
            return stamp;
        };
        const writer: FileSampleWriter = new FileSampleWriter(
            new SampleContent(this.#aboveLost(state)),
            state.dirty,
            {
                run: () => this.#options.run?.() ?? null,
                enter: (write) => this.#enter(write),
                replace,
                waiting: (bytes) => this.#countWaiting(bytes),
                isPressed: () => this.#isFull(),
                closed: () => this.#open.delete(writer),
            },
        );
        this.#open.add(writer);
        return writer;
    }

    /** Records of a new file must outrank those of one that was lost. */
    #aboveLost(state: SampleState): SampleState {
        if (state.origin !== 'new' || state.retiredRevision >= this.#firstRevision) return state;
        return { ...state, retiredRevision: this.#firstRevision };
    }

    room(): Promise<void> | null {
        if (!this.#isFull()) return null;
        if (this.#roomMade === null) {
            let resolve = (): void => undefined;
            const promise = new Promise<void>((yes) => {
                resolve = yes;
            });
            this.#roomMade = { promise, resolve };
        }
        return this.#roomMade.promise;
    }

    hurry(): void {
        for (const writer of this.#open) writer.hurry();
    }

    async flush(): Promise<void> {
        const results = await Promise.allSettled([...this.#open].map((writer) => writer.flush()));
        throwFirst(results);
    }

    async close(): Promise<void> {
        const results = await Promise.allSettled([...this.#open].map((writer) => writer.close()));
        throwFirst(results);
    }

    #isFull(): boolean {
        return this.#waiting > (this.#options.waitingBytes ?? WAITING_BYTES);
    }

    #countWaiting(bytes: number): void {
        const wasFull = this.#isFull();
        this.#waiting += bytes;
        if (this.#isFull()) {
            if (!wasFull) for (const writer of this.#open) writer.schedule();
        } else {
            this.#roomMade?.resolve();
            this.#roomMade = null;
        }
    }

    /** Bounds the number of files open at once; a turn ends with its write. */
    async #enter(write: () => Promise<FileStamp>): Promise<FileStamp> {
        if (this.#writes >= WRITES_AT_ONCE) await new Promise<void>((resolve) => this.#queue.push(resolve));
        else this.#writes += 1;
        try {
            return await write();
        } finally {
            const next = this.#queue.shift();
            if (next === undefined) this.#writes -= 1;
            else next();
        }
    }

    /** Before a sample's first rewrite: keeps the earlier tools' file, and switches to our own name for it. */
    async #firstTarget(state: SampleState, file: string): Promise<string> {
        if (state.origin !== 'earlier') return file;
        // Read from a folder, or from a checker file alone: these are left as they are.
        if (stampFile(join(this.#options.dir, file)) === null) return file;
        await this.#old.keepEarlier(join(this.#options.dir, file), file);
        const own = this.#options.names.getFile(state.id);
        if (own === file || file === makePlainName(state.id)) return file;
        return stampFile(join(this.#options.dir, own)) === null ? own : makeHashedName(state.id);
    }

    /** The earlier tools' file, whose name differs from ours: it has been copied to earlier/ and rewritten under the new name. */
    async #removeMoved(file: string): Promise<void> {
        const path = join(this.#options.dir, file);
        try {
            await rm(path, { force: true });
        } catch (error) {
            throw new WriteError(path, describeIoError(error), { cause: error });
        }
        (await this.#list()).delete(file);
    }

    /** Finds the file that holds an id, or where a new one goes. */
    async #locate(id: string): Promise<Located> {
        const listing = await this.#list();
        const taken = new Set<string>();
        for (const name of this.#candidates(id)) {
            if (!listing.has(name)) continue;
            const result = await this.#reader.read(join(this.#options.dir, name), id);
            switch (result.kind) {
                case 'checkpoint':
                    if (result.checkpoint.origin === 'resume-run') await this.#removeUpgraded(id, name);
                    return {
                        file: name,
                        checkpoint: await this.#earlier.withCheckerFile(result.checkpoint, listing),
                    };
                case 'absent':
                    listing.delete(name);
                    break;
                case 'other':
                    taken.add(name);
                    break;
                case 'corrupt':
                    if (!(await this.#moveAside(id, name, result.why, listing))) taken.add(name);
            }
        }
        const name = this.#options.names.getFile(id);
        const file = taken.has(name) ? makeHashedName(id) : name;
        const unlisted = await this.#unlisted(id, file);
        if (unlisted !== null || file !== name) this.#hasOnlyOwn = false;
        if (unlisted !== null) return unlisted;
        const archived = await (await this.#archived()).read(id);
        return { file, checkpoint: archived ?? (await this.#earlier.read(id, listing)) };
    }

    /** If the directory holds only what this run wrote, no other name needs to be tried. */
    #candidates(id: string): Iterable<string> {
        const { names } = this.#options;
        return this.#hasOnlyOwn ? [names.getFile(id)] : names.candidates(id);
    }

    /** The earlier tools' file of a sample that an earlier start upgraded and was killed before removing. */
    async #removeUpgraded(id: string, own: string): Promise<void> {
        const earlier = makeEarlierName(id);
        if (this.#options.readOnly === true || earlier === null || earlier === own) return;
        if (!(await this.#list()).has(earlier)) return;
        const path = join(this.#options.dir, earlier);
        const there = await readCheckpointFile(path, id);
        if (there.kind !== 'checkpoint' || there.checkpoint.origin !== 'earlier') return;
        await this.#old.keepEarlier(path, earlier);
        await this.#removeMoved(earlier);
    }

    /** A file that was not in the listing: created since, or the same name on a file system that ignores case. */
    async #unlisted(id: string, file: string): Promise<Located | null> {
        const path = join(this.#options.dir, file);
        if (stampFile(path) === null) return null;
        const there = await readCheckpointFile(path, id);
        if (there.kind === 'checkpoint') return { file, checkpoint: there.checkpoint };
        return there.kind === 'absent' ? null : { file: makeHashedName(id), checkpoint: null };
    }

    /** @returns false if the file was left where it is */
    async #moveAside(id: string, name: string, why: string, listing: TextSet): Promise<boolean> {
        const path = join(this.#options.dir, name);
        if (this.#options.readOnly === true) {
            this.#options.onNotice(`${path} cannot be read as a result file (${why})`);
            return false;
        }
        const aside = quarantinePath(path);
        await (await this.#lostFiles()).raise();
        try {
            await rename(path, aside);
            await syncDirectory(this.#options.dir);
        } catch (error) {
            throw new WriteError(path, `moving it aside failed: ${describeIoError(error)}`, { cause: error });
        }
        listing.delete(name);
        this.#options.onNotice(
            `${path} cannot be read as a result file (${why}): moved to ${aside}; ${JSON.stringify(id)} is done again`,
        );
        return true;
    }

    #lostFiles(): Promise<LostFiles> {
        this.#lost ??= LostFiles.load(this.#options.checkpointsDir, this.#options.holder);
        return this.#lost;
    }

    #archived(): Promise<ArchiveList> {
        this.#archives ??= ArchiveList.load(this.#options.checkpointsDir);
        return this.#archives;
    }

    #list(): Promise<TextSet> {
        const { dir, readOnly, listing } = this.#options;
        this.#listing ??= listResults(dir, readOnly === true, listing).then((names) => {
            this.#hasOnlyOwn = names.size === 0;
            this.#listed = names;
            return names;
        });
        return this.#listing;
    }
}

async function listResults(dir: string, readOnly: boolean, listing?: TextSet): Promise<TextSet> {
    try {
        if (!readOnly) {
            await makeDirectory(dir);
            await access(dir, constants.W_OK);
        }
        return listing ?? (await listManyFiles(dir));
    } catch (error) {
        if (error instanceof UserError) throw error;
        throw new UserError(`cannot use ${dir} for results: ${describeIoError(error)}`, readOnly ? 2 : 4, {
            cause: error,
        });
    }
}

function throwFirst(results: readonly PromiseSettledResult<unknown>[]): void {
    for (const result of results) if (result.status === 'rejected') throw result.reason;
}

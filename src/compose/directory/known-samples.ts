import { statSync } from 'node:fs';
import type { RunFile } from '../../checkpoint/run-directory/run-file.js';
import type { ListOptions } from '../../dataset/dataset.js';
import { isSameStamp, stampFile } from '../../host/stamp.js';
import type { FileStamp } from '../../model/checkpoint.js';
import type { GroupSizes } from '../../model/directory-sample.js';
import { getIoCode } from '../../util/io-error.js';
import { getMessage } from '../../util/message.js';
import { UserError } from '../../util/user-error.js';
import { withRowFiles } from '../row-files.js';
import type { SampleTable } from '../sample-list.js';
import { SamplesById } from '../samples.js';
import type { DirectoryIndexes } from './directory-indexes.js';

/** The samples of a directory's datasets, as the datasets are now; stored in columns, so that there may be many. */
export class KnownSamples implements Iterable<readonly [id: string, groups: GroupSizes]> {
    readonly #table: SampleTable;

    constructor(table: SampleTable) {
        this.#table = table;
    }

    get size(): number {
        return this.#table.length;
    }

    has(id: string): boolean {
        return this.#table.find(id) !== -1;
    }

    /** The groups of a sample; null if the datasets do not have it. */
    find(id: string): GroupSizes | null {
        const position = this.#table.find(id);
        return position === -1 ? null : this.#table.groupsAt(position);
    }

    /** The ids of the samples; can be iterated repeatedly. */
    ids(): Iterable<string> {
        const table = this.#table;
        return {
            *[Symbol.iterator]() {
                for (const { indexed } of table) yield indexed.id;
            },
        };
    }

    *[Symbol.iterator](): Generator<readonly [id: string, groups: GroupSizes]> {
        for (const { indexed } of this.#table) yield [indexed.id, indexed.groups];
    }
}

/** Folders and patterns are read again after this time, as there is no cheap way to tell whether a file in them changed. */
const FRESH_MS = 60_000;

/**
 * Reads which samples the datasets of a directory have, for readers without the lock: the same set that a start counts over.
 * Reading again is cheap while the datasets have not changed.
 */
export class KnownSamplesReader {
    readonly #indexes: Pick<DirectoryIndexes, 'loadDatasets'>;
    readonly #onNotice: (message: string) => void;
    #last: {
        readonly at: number;
        readonly stamps: readonly Stamped[];
        readonly found: KnownSamples | null;
    } | null = null;

    /**
     * @param indexes saves reading datasets that have not changed
     * @param onNotice called once if a dataset cannot be read
     */
    constructor(indexes: Pick<DirectoryIndexes, 'loadDatasets'>, onNotice: (message: string) => void) {
        this.#indexes = indexes;
        this.#onNotice = onNotice;
    }

    /** @returns null if no dataset is known, or one cannot be read: removed samples are unknown then */
    async read(run: Pick<RunFile, 'datasets' | 'buckets' | 'options'> | null): Promise<KnownSamples | null> {
        const datasets = run?.datasets ?? [];
        if (datasets.length === 0) return null;
        const stamps = datasets.map(({ path }) => stampPath(path));
        const last = this.#last;
        const isFresh =
            last !== null &&
            Date.now() - last.at < FRESH_MS &&
            stamps.length === last.stamps.length &&
            stamps.every((one, i) => isSame(one, last.stamps[i]));
        if (isFresh) return last.found;
        const found = await this.#readAll(run, last?.found === null);
        this.#last = { at: Date.now(), stamps, found };
        return found;
    }

    async #readAll(
        run: Pick<RunFile, 'datasets' | 'buckets' | 'options'> | null,
        isToldAlready: boolean,
    ): Promise<KnownSamples | null> {
        const samples = new SamplesById();
        try {
            const cache = await this.#indexes.loadDatasets();
            const lists = chooseListOptions(run);
            await withRowFiles(async (files) => {
                for (const { path, format } of run?.datasets ?? []) {
                    await samples.addPath(path, format, {
                        cache,
                        lists,
                        files,
                        sampleTests: hasSampleTests(run),
                    });
                }
            });
        } catch (error) {
            if (!(error instanceof UserError) && getIoCode(error) === null) throw error;
            if (!isToldAlready) {
                this.#onNotice(
                    `${getMessage(error)}; until all datasets can be read, figures include result files of removed samples`,
                );
            }
            return null;
        }
        return new KnownSamples(samples.table);
    }
}

/** Whether the directory also judges packages that only have sample tests. */
export const hasSampleTests = (run: Pick<RunFile, 'options'> | null): boolean =>
    run?.options['sample-tests'] === true;

/** How readers without the lock read lists of rows: with the same placement of rows as in the run. */
export function chooseListOptions(run: Pick<RunFile, 'buckets'> | null): ListOptions {
    return { accepted: true, rowsPerSample: 1, bucketsOf: (file) => run?.buckets?.[file] ?? null };
}

interface Stamped {
    readonly path: string;
    /** Null unless the path is a file. */
    readonly stamp: FileStamp | null;
}

function stampPath(path: string): Stamped {
    const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
    return { path, stamp: isFile ? stampFile(path) : null };
}

function isSame(a: Stamped, b: Stamped | undefined): boolean {
    if (b === undefined || a.path !== b.path) return false;
    return a.stamp === null || b.stamp === null ? a.stamp === b.stamp : isSameStamp(a.stamp, b.stamp);
}

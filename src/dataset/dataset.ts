import type { FileStamp } from '../model/checkpoint.js';
import type { LimitPolicy } from '../model/limits.js';
import type { RowFiles } from './row-files.js';
import type { BuiltInChecker, Sample } from '../model/sample.js';
import type { IndexedRow, Sequence } from '../model/sample-rows.js';
import type { TestMaker } from '../model/test-recipe.js';

/** An opened dataset: one file, one folder of files, or one tree of packages. Implementations hold no sample in memory. */
export interface Dataset {
    /** Key of the registry: `code-contests`, `kattis`, ... */
    readonly format: string;
    /** As the user named it, made absolute. */
    readonly path: string;
    readonly limitPolicy: LimitPolicy;
    /** How outputs are compared if a sample names no checker; null if every sample names one. */
    readonly comparison: BuiltInChecker | null;
    /**
     * Streams the samples in batches, in the dataset's order, without holding the file.
     * @throws UserError (exit 2) for a bad row: file, line, field, what was expected; unless bad rows are skipped
     */
    index(): AsyncIterable<readonly IndexedSample[]>;
    /**
     * Reads one sample.
     * @throws UserError (exit 2) if it has changed since `index`: "changed, start again"
     */
    load(indexed: IndexedSample): Promise<Sample>;
    /** True if no row can mark a task as skipped: for a sample without results, every task that its groups count has to run. */
    readonly skipsNothing?: boolean;
    /** True if `index` never yields an id twice. Absent: ids may repeat. */
    readonly hasDistinctIds?: boolean;
    /** Rows left out so far because of `--skip-bad-rows`, and packages of a larger set that cannot be read: one line each. */
    readonly badRows: readonly string[];
    /**
     * For ids that are paths: the path of the tree that they are relative to, with `/` between folders. It distinguishes samples
     * of two trees. Absent: ids come from the dataset itself.
     */
    readonly idPrefix?: string;
    /** The file that holds a sample, as messages name it. Absent: `path` is precise enough. */
    placeOf?(indexed: IndexedSample): string;
    /** For lists, after `index`: all fields that occur in rows. */
    readonly fields?: ReadonlySet<string>;
    /** For lists, after `index`: the number of samples that each file's rows are spread over, which run.json records. */
    readonly buckets?: ReadonlyMap<string, number>;
}

/** One sample as the index knows it. */
export type IndexedSample = IndexedRow;

export interface OpenOptions {
    /** `--skip-bad-rows`: leave bad rows out and list them. */
    readonly skipBadRows: boolean;
    /** `--sample-tests`: judge packages that have only samples by these, in separate groups. Absent: leave these packages out. */
    readonly sampleTests?: boolean;
    /** Rows of files that have not changed since an earlier start. */
    readonly cache: DatasetCache;
    readonly lists: ListOptions;
    /** Reads files of rows; shared by all datasets of a start. */
    readonly files: RowFiles;
    /** Provides the maker of tests that a dataset only describes. Absent: samples are never loaded. */
    readonly testMaker?: TestMakerSource;
}

/** Null if the executor does not run programs on this machine. */
export type TestMakerSource = () => Promise<TestMaker | null>;

/** How lists become samples. */
export interface ListOptions {
    /** Whether the executor can work on rows that are not problems, so that a list can be a dataset. */
    readonly accepted: boolean;
    /** `--rows-per-sample`: approximate number of rows that form one sample. */
    readonly rowsPerSample: number;
    /**
     * The number of samples that an earlier start spread a file's rows over; null if the file was never run into this directory.
     */
    bucketsOf(file: string): number | null;
}

/** What an earlier start learned about dataset files; stored in checkpoints/<dir>/index.json. */
export interface DatasetCache {
    /** Rows of a file, if it was last seen with exactly this stamp. */
    get(file: string, stamp: FileStamp): Sequence<IndexedSample> | null;
    set(file: string, stamp: FileStamp, rows: Sequence<IndexedSample>): void;
}

/** The items of one dataset: files of rows, or folders of problem packages. */
export interface DatasetSource {
    /** As the user named it, made absolute. */
    readonly path: string;
    /** Absolute, sorted; at least one. */
    readonly items: readonly string[];
    /** The folder that ids of packages are relative to. */
    readonly root: string;
    /** What the user named, absolute, if `path` is the only package in it. */
    readonly named?: string;
    /** By folder, for packages unpacked from archives: their ids, and their names in messages. */
    readonly ids?: ReadonlyMap<string, string>;
    readonly names?: ReadonlyMap<string, string>;
    /**
     * If `path` is an archive: the folder that it was unpacked into, and whether the user named the archive itself rather than a
     * tree around it.
     */
    readonly archive?: { readonly unpacked: string; readonly isNamed: boolean };
    /**
     * Set if the same name also stands for other packages: a package that cannot be read does not keep the others from running.
     */
    readonly isOneOfMany?: boolean;
    /** True if `--format` was given: the rows need not look like the format. */
    readonly forced: boolean;
}

/** One dataset format; registry.ts assigns the names. */
export interface DatasetFormat {
    open(source: DatasetSource, options: OpenOptions): Dataset;
}

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
    /** How outputs are compared where a sample names no checker; null where every sample does. */
    readonly comparison: BuiltInChecker | null;
    /**
     * Streams what there is, in the dataset's order, without holding the file: some at a time.
     * @throws UserError (exit 2) at a bad row: file, line, field, what was expected; unless bad rows are skipped
     */
    index(): AsyncIterable<readonly IndexedSample[]>;
    /**
     * Reads one sample.
     * @throws UserError (exit 2) when it is no longer what `index` saw: "changed, start again"
     */
    load(indexed: IndexedSample): Promise<Sample>;
    /** True where no row can say that a task is not to run: without results, all that a sample's groups count is due. */
    readonly skipsNothing?: boolean;
    /** True where `index` yields no id twice. Absent: the same id may come again. */
    readonly hasDistinctIds?: boolean;
    /** Rows left out so far because of `--skip-bad-rows`, and packages that cannot be read beside others: one line each. */
    readonly badRows: readonly string[];
    /**
     * Where ids are paths: the path of the tree that they start from, `/` between folders. It tells samples of two trees
     * apart. Absent: ids are the dataset's own.
     */
    readonly idPrefix?: string;
    /** The file that a sample stands in, as messages name it. Absent: `path` says as much as there is to say. */
    placeOf?(indexed: IndexedSample): string;
    /** For lists, after `index`: every field that a row has. */
    readonly fields?: ReadonlySet<string>;
    /** For lists, after `index`: over how many samples the rows of each file are spread. run.json keeps it. */
    readonly buckets?: ReadonlyMap<string, number>;
}

/** One sample as the index knows it. */
export type IndexedSample = IndexedRow;

export interface OpenOptions {
    /** `--skip-bad-rows`: go on without them, and list them. */
    readonly skipBadRows: boolean;
    /** `--sample-tests`: judge packages that have samples alone by these, in groups of their own. Absent: leave them out. */
    readonly sampleTests?: boolean;
    /** Rows of files that have not changed since an earlier start. */
    readonly cache: DatasetCache;
    readonly lists: ListOptions;
    /** Reads files of rows; shared by the datasets of a start. */
    readonly files: RowFiles;
    /** Who makes tests that a dataset only describes; absent: samples are never loaded. */
    readonly testMaker?: TestMakerSource;
}

/** Null where the executor runs no programs on this machine. */
export type TestMakerSource = () => Promise<TestMaker | null>;

/** How lists become samples. */
export interface ListOptions {
    /** Whether what runs can work on rows that are not problems: a list is then a dataset. */
    readonly accepted: boolean;
    /** `--rows-per-sample`: about as many rows become one sample. */
    readonly rowsPerSample: number;
    /** Over how many samples an earlier start has spread a file's rows; null: it was not run into the directory. */
    bucketsOf(file: string): number | null;
}

/** What an earlier start learned about dataset files; kept in checkpoints/<dir>/index.json. */
export interface DatasetCache {
    /** Rows of a file, if it was seen with this very stamp. */
    get(file: string, stamp: FileStamp): Sequence<IndexedSample> | null;
    set(file: string, stamp: FileStamp, rows: Sequence<IndexedSample>): void;
}

/** What belongs to one dataset: files of rows, or folders of problem packages. */
export interface DatasetSource {
    /** As the user named it, made absolute. */
    readonly path: string;
    /** Absolute, sorted; at least one. */
    readonly items: readonly string[];
    /** Ids of packages are relative to it. */
    readonly root: string;
    /** What the user named, absolute, where `path` is the only package in it. */
    readonly named?: string;
    /** By folder, where that is not so: ids of packages that were unpacked from archives, and how messages name them. */
    readonly ids?: ReadonlyMap<string, string>;
    readonly names?: ReadonlyMap<string, string>;
    /** Where `path` is an archive: the folder that it was unpacked into, and whether the user named it and not a tree around it. */
    readonly archive?: { readonly unpacked: string; readonly isNamed: boolean };
    /** Set where the same name stands for other packages too: one that cannot be read does not stop those. */
    readonly isOneOfMany?: boolean;
    /** True where `--format` was given: rows need not look like the format. */
    readonly forced: boolean;
}

/** One format; registry.ts names them. */
export interface DatasetFormat {
    open(source: DatasetSource, options: OpenOptions): Dataset;
}

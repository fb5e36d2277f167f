import type { BatchChange, RecordChange } from './record/record.js';

/** How parts are encoded: `--storage`, STORAGE_FORMAT. */
export const STORAGE_FORMATS = ['json', 'parquet'] as const;
export type StorageFormat = (typeof STORAGE_FORMATS)[number];

/** What a commit did to the records, by key. */
export interface CommitSummary {
    /** Records whose key is new. */
    readonly added: number;
    /** Records that replaced one of a lower revision. */
    readonly replaced: number;
    /** Changes that were already known, or older than the stored record. */
    readonly duplicates: number;
    /** Records removed by a retirement. */
    readonly retired: number;
}

/** Changes to apply to a database. */
export type Changes =
    | Iterable<RecordChange | BatchChange>
    /**
     * In groups, whose rows are valid only until the next group is requested: a turn of the event loop for each of a million
     * changes takes longer than storing it.
     */
    | AsyncIterable<readonly (RecordChange | BatchChange)[]>;

/**
 * The database as held by its single writer, under its lock. Calls run one after another; each durably creates one new
 * generation, or none. A failed call leaves the previous generation in place and may be repeated.
 */
export interface ResultStore {
    /** The generation that readers see now; 0 before the first commit. */
    readonly generation: number;
    /**
     * Applies a batch, all or nothing; resolves when it is durable, so that its source may be retired. Streams: only keys are
     * kept in memory. Applying the same batch again changes nothing.
     * @throws WriteError (exit 4), UserError (exit 3) if the database was taken over
     */
    commit(changes: Changes): Promise<CommitSummary>;
    /** Joins small parts into larger ones. @throws as `commit` */
    compact(): Promise<void>;
    /** Releases the lock. Never throws. */
    close(): Promise<void>;
}

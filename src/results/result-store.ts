import type { BatchChange, RecordChange } from './record/record.js';

/** How parts are encoded: `--storage`, STORAGE_FORMAT. */
export const STORAGE_FORMATS = ['json', 'parquet'] as const;
export type StorageFormat = (typeof STORAGE_FORMATS)[number];

/** What a commit did to the records, by key. */
export interface CommitSummary {
    /** Records of keys that were not there. */
    readonly added: number;
    /** Records that replaced one of a lower revision. */
    readonly replaced: number;
    /** Changes that were known already, or older than what is there. */
    readonly duplicates: number;
    /** Records taken out by a retirement. */
    readonly retired: number;
}

/** What comes into a database. */
export type Changes =
    | Iterable<RecordChange | BatchChange>
    /** Some at a time, and rows only until the next ones are asked for: a turn of the event loop for each of a million takes longer than to store it. */
    | AsyncIterable<readonly (RecordChange | BatchChange)[]>;

/**
 * The database as its single writer holds it, under its lock. Calls wait for each other; each makes one new generation, durably, or none.
 * A failed call leaves the generation before it, and may be repeated.
 */
export interface ResultStore {
    /** The generation that readers see now; 0 before the first commit. */
    readonly generation: number;
    /**
     * Brings a batch in, whole or not at all; resolves when it is durable, so that its source may be retired. Streams: nothing but
     * keys is held in memory. The same batch may come again: it changes nothing.
     * @throws WriteError (exit 4), UserError (exit 3) if the database was taken over
     */
    commit(changes: Changes): Promise<CommitSummary>;
    /** Joins small parts into large ones. @throws as `commit` */
    compact(): Promise<void>;
    /** Gives the lock back. Never throws. */
    close(): Promise<void>;
}

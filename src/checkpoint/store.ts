import type { Checkpoint, FileStamp, SampleState } from '../model/checkpoint.js';
import type { ComputedLimits, Entry, OpenTask } from '../model/entry.js';
import type { SampleTally } from '../model/tally.js';

/** Where results are kept; the commit point. One store is one results directory, held by one run. */
export interface CheckpointStore {
    /**
     * What is known of a sample; null if nothing. A file that cannot be parsed is moved aside to `<name>.corrupt-<time>`,
     * reported through `onNotice`, and treated as missing.
     */
    read(id: string): Promise<Checkpoint | null>;
    /** Whether nothing is known of any sample, so that a first start need not look up each. */
    isEmpty(): Promise<boolean>;
    /**
     * Stamp of a sample's result file; null if there is none. Nothing is opened, and an answer that is available at once comes
     * without a promise: a start asks for every sample.
     */
    stamp(id: string): FileStamp | null | Promise<FileStamp | null>;
    /** Takes over a sample's file. Nothing is written before the first commit. */
    open(state: SampleState): SampleWriter;
    /**
     * Null while there is room for more results; otherwise resolves when there is. `commit` does not wait for it: callers that
     * start tasks do, before starting the next. Bounds waiting results by bytes, not by the number of open commits.
     */
    room(): Promise<void> | null;
    /** Writes what waits for its turn without a pause. Cheap: it may be called after every task. */
    hurry(): void;
    /** Writes everything that waits at once. Resolves when everything committed so far is on disk. */
    flush(): Promise<void>;
    close(): Promise<void>;
}

/** One open sample. Every method resolves when the change is on disk, not before; none may be called after `close`. */
export interface SampleWriter {
    /**
     * Commits a finished task; replaces an older entry, failure or pending note of the same (group, index).
     * @returns the entry as it is on disk, with the revision that the store gave it
     * @throws WriteError when it could not be written: the run must stop, exit 4
     */
    commit(
        group: string,
        entry: Entry,
        by: { readonly apiUsed: string; readonly workerId: string },
    ): Promise<Entry>;
    /** Records a task given up (`failures`) or not final yet (`pending`); returns the note as it is on disk. */
    note(kind: 'failures' | 'pending', task: OpenTask): Promise<OpenTask>;
    /** Records limits computed for the sample. */
    setComputedLimits(limits: ComputedLimits): Promise<void>;
    /** Entries committed so far, kept ones and new ones, for limits that are computed from them. */
    getEntries(group: string): readonly Entry[];
    tally(): SampleTally;
    /** Limits that were computed for the sample; null: none were. */
    readonly computedLimits: ComputedLimits | null;
    /**
     * Waits for what is in flight, writes if `dirty`, and drops the sample from memory. Returns its last stamp (null if never
     * written).
     */
    close(): Promise<FileStamp | null>;
}

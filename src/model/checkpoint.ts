import type { ComputedLimits, Entry, OpenTask, SkippedTask } from './entry.js';
import type { Labels } from './expectation.js';
import type { FileStamp } from './file-stamp.js';

export type { FileStamp };

/** A sample's result file as it was read: what is known to be finished. */
export interface Checkpoint {
    readonly id: string;
    /** Finished tasks by group name (`solution`, not `solution_result`), in file order. */
    readonly entries: ReadonlyMap<string, readonly StoredEntry[]>;
    readonly failures: readonly OpenTask[];
    readonly pending: readonly OpenTask[];
    readonly skipped: readonly SkippedTask[];
    readonly computedLimits: ComputedLimits | null;
    /** `total_<group>s` of `progress`; empty for files of the earlier tools. */
    readonly totals: ReadonlyMap<string, number>;
    readonly isComplete: boolean;
    /** Id of the run that wrote it; null in files of version 0.1 and of the earlier tools. */
    readonly run: string | null;
    /** Highest revision of a record that this file no longer holds; 0 if there is none. */
    readonly retiredRevision: number;
    /** `earlier`: written by the earlier tools; its entries are matched by source, see plan/. */
    readonly origin: 'resume-run' | 'earlier';
    readonly stamp: FileStamp;
    /** Other files of the earlier tools that it was read from. */
    readonly earlier?: EarlierSources;
    /** Entries of the file that a source of the earlier tools has replaced since. */
    readonly replaced?: readonly SupersededEntry[];
}

/** Results of the earlier tools beside a sample's result file. Names are relative to the results directory. */
export interface EarlierSources {
    /** `<sample>/`, with a file for each task. */
    readonly folder: string | null;
    /** `<id>_checker.json`: its verdicts take precedence over those of `<id>.json`. */
    readonly checkerFile: string | null;
    /** Verdicts that the checker file changed. */
    readonly changedVerdicts: number;
    /** Files that hold no result that could belong to a task. */
    readonly unusable: readonly NotImported[];
}

/** A result of the earlier tools that was not imported. */
export interface NotImported {
    readonly file: string;
    readonly reason: string;
}

/**
 * A finished task as it was read. `index` and `fingerprint` are null only in files of the earlier tools. A store may keep more
 * with it (its serialised form): other code must pass the same object back, never a copy.
 */
export interface StoredEntry {
    readonly entry: Omit<Entry, 'index' | 'fingerprint'> & {
        readonly index: number | null;
        readonly fingerprint: string | null;
    };
    /**
     * The file of an earlier tool that holds this one result; its source is what a server extracted, without its last line break.
     */
    readonly file?: string;
}

/** What a sample's file holds when work on it starts. */
export interface SampleState {
    readonly id: string;
    /** All groups of the sample in order, with the tasks that count (skipped ones do not). */
    readonly totals: readonly (readonly [group: string, total: number])[];
    /** Finished entries that stay, with the index they have now. */
    readonly kept: readonly KeptEntry[];
    /** Entries that are no longer matched by any task: appended to superseded.jsonl, durably, before the first rewrite. */
    readonly superseded: readonly SupersededEntry[];
    readonly failures: readonly OpenTask[];
    readonly pending: readonly OpenTask[];
    readonly skipped: readonly SkippedTask[];
    readonly computedLimits: ComputedLimits | null;
    /** That of the checkpoint; 0 for a new sample. */
    readonly retiredRevision: number;
    /** The earlier tools' file is copied to `earlier/` before its first rewrite. */
    readonly origin: 'resume-run' | 'earlier' | 'new';
    /** True if the file must be rewritten even if no task runs (entries moved, skips changed, totals changed). */
    readonly dirty: boolean;
}

export interface KeptEntry {
    readonly group: string;
    readonly index: number;
    readonly fingerprint: string;
    /** Its position among the equal tasks of its group, from 0. */
    readonly occurrence: number;
    readonly stored: StoredEntry;
    /** What the dataset expects of it now, if its entry says something else. */
    readonly labels?: Labels;
}

export interface SupersededEntry {
    readonly group: string;
    readonly reason: string;
    readonly stored: StoredEntry;
}

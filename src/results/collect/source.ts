import type { BatchChange, RecordChange } from '../record/record.js';

/** A source of results, such as a results directory or a set of batches. */
export interface RecordSource {
    /** The name to use in messages. */
    readonly name: string;
    /** Everything it holds now; rows are valid only until the next change is requested. @throws UserError if it cannot be read */
    changes(): AsyncIterable<RecordChange | BatchChange>;
}

/** What one pass over the sources found. */
export interface SourceCounts {
    /** Number of result files and batches that were read. */
    files: number;
    records: number;
    retirements: number;
    /** Files that are neither, with the reason. */
    readonly skipped: { readonly path: string; readonly why: string }[];
    /** Files that are incomplete, but so young that they may still be being written. */
    readonly unfinished: string[];
}

export function makeSourceCounts(): SourceCounts {
    return { files: 0, records: 0, retirements: 0, skipped: [], unfinished: [] };
}

export function countChange(change: RecordChange | BatchChange, counts: SourceCounts): void {
    if (change.kind === 'retirement') counts.retirements += 1;
    else counts.records += change.kind === 'rows' ? change.rows.keys.count : 1;
}

/** Number of changes that are yielded together. */
const AT_ONCE = 256;

/**
 * The changes of all sources, one source after the other, counted.
 * @param signal stops reading; what was read by then is all that is yielded
 */
export async function* readChanges(
    sources: readonly RecordSource[],
    counts: SourceCounts,
    signal?: AbortSignal,
): AsyncGenerator<readonly (RecordChange | BatchChange)[]> {
    let some: (RecordChange | BatchChange)[] = [];
    for (const source of sources) {
        for await (const change of source.changes()) {
            countChange(change, counts);
            some.push(change);
            // Rows become invalid when their source continues.
            if (some.length < AT_ONCE && change.kind !== 'rows') continue;
            yield some;
            some = [];
            if (signal?.aborted === true) return;
        }
    }
    if (some.length > 0) yield some;
}

import type { BatchChange, RecordChange } from '../record/record.js';

/** Where results come from: a results directory, some batches. */
export interface RecordSource {
    /** As messages name it. */
    readonly name: string;
    /** Everything it holds now; rows only until the next change is asked for. @throws UserError if it cannot be read */
    changes(): AsyncIterable<RecordChange | BatchChange>;
}

/** What one look at the sources found. */
export interface SourceCounts {
    /** Result files and batches that were read. */
    files: number;
    records: number;
    retirements: number;
    /** Files that are neither, and why. */
    readonly skipped: { readonly path: string; readonly why: string }[];
}

export function makeSourceCounts(): SourceCounts {
    return { files: 0, records: 0, retirements: 0, skipped: [] };
}

export function countChange(change: RecordChange | BatchChange, counts: SourceCounts): void {
    if (change.kind === 'retirement') counts.retirements += 1;
    else counts.records += change.kind === 'rows' ? change.rows.keys.count : 1;
}

/** Changes that are handed on together. */
const AT_ONCE = 256;

/**
 * The changes of all sources, one after the other, counted.
 * @param signal ends the reading: what was read by then is all there is
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
            // Rows are lost when their source goes on.
            if (some.length < AT_ONCE && change.kind !== 'rows') continue;
            yield some;
            some = [];
            if (signal?.aborted === true) return;
        }
    }
    if (some.length > 0) yield some;
}

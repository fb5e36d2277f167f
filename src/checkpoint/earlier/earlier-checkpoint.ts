import type { Checkpoint, StoredEntry } from '../../model/checkpoint.js';
import type { FileStamp } from '../../model/file-stamp.js';

/** A checkpoint of results that an earlier tool wrote: only entries, without the fields that only our own files have. */
export function makeEarlierCheckpoint(
    id: string,
    entries: ReadonlyMap<string, readonly StoredEntry[]>,
    stamp: FileStamp,
): Checkpoint {
    return {
        id,
        entries,
        failures: [],
        pending: [],
        skipped: [],
        computedLimits: null,
        totals: new Map(),
        isComplete: false,
        run: null,
        retiredRevision: 0,
        origin: 'earlier',
        stamp,
    };
}

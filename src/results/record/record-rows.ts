import type { RecordKeys } from './record-keys.js';

/**
 * Records as read: their lines in one buffer, and their keys, so that no string or object is needed for each. Valid until the
 * source reads on.
 */
export interface RecordRows {
    /** The lines as `recordLine` writes them, one after the other, each with its line break. */
    readonly bytes: Buffer;
    /** End of each line, after its line break. */
    readonly ends: readonly number[];
    /** Key of each line. */
    readonly keys: RecordKeys;
    /** Names of all fields that occur in the lines, and perhaps more. */
    readonly fields: readonly string[];
}

/** Where a row's line begins. */
export const startOfRow = ({ ends }: RecordRows, row: number): number => ends[row - 1] ?? 0;

import type { RecordKeys } from './record-keys.js';

/**
 * Records as they came: their lines in one piece of memory, and their keys. Nobody has to make a text or an object of each.
 * Valid until its source reads on.
 */
export interface RecordRows {
    /** The lines of `recordLine`, one behind the other, each with its line break. */
    readonly bytes: Buffer;
    /** Where each line ends, behind its line break. */
    readonly ends: readonly number[];
    /** Key of each line. */
    readonly keys: RecordKeys;
    /** Names of all fields that the lines have, and perhaps more. */
    readonly fields: readonly string[];
}

/** Where the line of a row begins. */
export const startOfRow = ({ ends }: RecordRows, row: number): number => ends[row - 1] ?? 0;

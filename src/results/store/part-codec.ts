import type { ResultRecord } from '../record/record.js';
import { UserError } from '../../util/user-error.js';
import type { StorageFormat } from '../result-store.js';

/** A file of JSON lines that becomes a part. */
export interface LineFile {
    readonly path: string;
    /** Bytes of its longest line, or more. */
    readonly longest: number;
    /** Names of all fields that the lines have; null: they may have any. */
    readonly present: ReadonlySet<string> | null;
}

/** How parts are written and read. Everything else (manifest, keys, compaction, readers) does not know the codec. */
export interface PartCodec {
    /** With the dot. */
    readonly extension: string;
    /** Bytes of JSON lines after which a new part is begun: about 100 MB on disk. */
    readonly linesPerPart: number;
    /**
     * Makes the part's file from one of JSON lines, in the same order. May rename that file or leave it; does not sync. Several
     * may be under way at once.
     * @throws Error of the disk
     */
    encode(lines: LineFile, target: string): Promise<void>;
    /** Rows in order, some thousands at a time. @throws PartError if the file is not a whole part */
    readRecords(path: string): AsyncIterable<readonly ResultRecord[]>;
    /** The same as JSON lines without line breaks. */
    readLines(path: string): AsyncIterable<readonly string[]>;
    /**
     * Writes the rows of parts of this codec into one file, in order, without making records of them. Absent where lines are
     * copied as they are.
     * @returns rows that were written. @throws PartError, Error of the disk
     */
    copyRows?(sources: readonly CopiedPart[], target: string): Promise<number>;
}

/** A part whose rows are copied. */
export interface CopiedPart {
    readonly path: string;
    /** Numbers of rows that are left out, from 0. */
    readonly dropped: ReadonlySet<number>;
}

/** A part's file is damaged, or not what the manifest says. */
export class PartError extends UserError {
    constructor(
        readonly path: string,
        why: string,
        options?: ErrorOptions,
    ) {
        super(`${path}: ${why}`, 2, options);
    }
}

const CODECS: Readonly<Record<StorageFormat, () => Promise<PartCodec>>> = {
    json: async () => (await import('./json-codec.js')).JSON_CODEC,
    parquet: async () => await (await import('./parquet-codec.js')).openParquetCodec(),
};

/** @throws UserError (exit 2) that says what to install, where the codec needs what is not there */
export function loadCodec(format: StorageFormat): Promise<PartCodec> {
    return CODECS[format]();
}

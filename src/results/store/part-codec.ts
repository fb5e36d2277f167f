import type { ResultRecord } from '../record/record.js';
import { UserError } from '../../util/user-error.js';
import type { StorageFormat } from '../result-store.js';

/** A file of JSON lines that is to become a part. */
export interface LineFile {
    readonly path: string;
    /** Bytes of its longest line, or an upper bound. */
    readonly longest: number;
    /** Names of all fields that occur in the lines; null: any. */
    readonly present: ReadonlySet<string> | null;
}

/** How parts are written and read. Everything else (manifest, keys, compaction, readers) is independent of the codec. */
export interface PartCodec {
    /** File extension, including the dot. */
    readonly extension: string;
    /** Bytes of JSON lines after which a new part is started: about 100 MB on disk. */
    readonly linesPerPart: number;
    /**
     * Converts a file of JSON lines to the part's file, in the same order. May rename that file or leave it; does not sync.
     * Several calls may run at once.
     * @throws Error of the disk
     */
    encode(lines: LineFile, target: string): Promise<void>;
    /** Rows in order, a few thousand at a time. @throws PartError if the file is not a complete part */
    readRecords(path: string): AsyncIterable<readonly ResultRecord[]>;
    /** The same as JSON lines without line breaks. */
    readLines(path: string): AsyncIterable<readonly string[]>;
    /**
     * Writes the rows of parts with this codec into one file, in order, without converting them to records. Absent if lines are
     * copied as they are.
     * @returns number of rows written. @throws PartError, Error of the disk
     */
    copyRows?(sources: readonly CopiedPart[], target: string): Promise<number>;
}

/** A part whose rows are to be copied. */
export interface CopiedPart {
    readonly path: string;
    /** Numbers of the rows to leave out, from 0. */
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

/** @throws UserError (exit 2) that says what to install, if the codec needs a package that is missing */
export function loadCodec(format: StorageFormat): Promise<PartCodec> {
    return CODECS[format]();
}

import type { FileHandle } from 'node:fs/promises';
import type { Field } from '../field.js';
import type { RowFiles } from '../row-files.js';

/** How the rows of a list are stored in its file. A row is an object with a value for each field, and becomes one task. */
export interface ListReader {
    /** Key of the registry: `rows`, `csv`, `tsv`, `lines`. */
    readonly key: string;
    /** @throws UserError if the file cannot be such a list (a bad header, UTF-16) */
    open(file: string, files: RowFiles): Promise<ListFile>;
}

export interface ListFile {
    /** Data rows in order; every iteration reads the file again. @throws UserError if the file's structure is broken */
    rows(): AsyncIterable<ListRow>;
    /** Opens the bytes that hold the rows. The caller closes it. */
    open(): Promise<FileHandle>;
    /** Parses one row from its bytes. @param place `urls.csv:12`, for messages. @throws UserError for a bad row */
    parse(bytes: Buffer, place: string): Field;
}

export interface ListRow {
    /** Line number, starting at 1. */
    readonly line: number;
    /** Bytes from the start of the file. */
    readonly offset: number;
    readonly length: number;
    /** @param place `urls.csv:12`, for messages. @throws UserError for a bad row */
    read(place: string): Field | Promise<Field>;
}

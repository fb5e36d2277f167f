import type { FileHandle } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openFile } from '../host/open-file.js';
import { stampFile } from '../host/stamp.js';
import { unreachable } from '../util/unreachable.js';
import { unpackArchive } from './archives.js';
import { readStamp } from './file-content.js';
import { type Packing, detectPacking } from './packed/packing.js';
import { ParquetDecoder } from './packed/parquet-decoder.js';
import { ScratchCopies } from './packed/scratch-copies.js';
import { unpackChunks } from './packed/unpack.js';
import { readJsonLines } from './rows/json-lines.js';
import { MAX_ROW_BYTES, type RawRow, readHandle } from './rows/row.js';
import { RowReader } from './rows/row-reader.js';
import { readRowBatches, readRows } from './rows/rows.js';

/** A row of a file that may be packed. `offset` is relative to the start of its part; `line` counts over the whole file. */
export interface PartRow extends RawRow {
    /** Index, starting at 0, of the part that holds it: a row group of a Parquet file; other files consist of one part. */
    readonly part: number;
}

/** Rows of one part. */
export interface PartRows {
    readonly part: number;
    readonly rows: readonly RawRow[];
}

export interface RowFilesOptions {
    /** Creates the folder for unpacked copies when the first one is needed. */
    readonly scratch: () => Promise<string>;
    /** The program of the thread that decodes Parquet. */
    readonly parquetWorker: URL;
}

/** Files kept open between reads. */
const MAX_OPEN = 4;

/**
 * Files of JSON rows, plain or packed (gzip, Zstandard, Parquet): reads rows in order, and single rows by their position. Packed
 * rows are read again from unpacked copies in scratch files, of which only a few exist at a time.
 */
export class RowFiles {
    readonly #packings = new Map<string, Promise<Packing>>();
    readonly #copies: ScratchCopies;
    readonly #parquet: ParquetDecoder;
    /** By file, its stamp, and part; least recently used first. */
    readonly #readers = new Map<string, RowReader>();

    readonly #unpacked = new Map<string, Promise<string>>();
    readonly #scratch: () => Promise<string>;

    constructor({ scratch, parquetWorker }: RowFilesOptions) {
        this.#scratch = scratch;
        this.#copies = new ScratchCopies(scratch);
        this.#parquet = new ParquetDecoder(parquetWorker);
    }

    /** Rows in order. @throws UserError (exit 2) if the file is truncated */
    async *rows(file: string): AsyncIterable<PartRow> {
        const packing = await this.#detectPacking(file);
        switch (packing) {
            case 'none':
                return yield* inOnePart(readRows(file));
            case 'gzip':
            case 'zstd':
                return yield* inOnePart(readJsonLines(file, MAX_ROW_BYTES, unpackChunks(file, packing)));
            case 'parquet':
                return yield* this.#parquetRows(file);
            default:
                return unreachable(packing);
        }
    }

    /** The same rows in batches from one part, if many are close together. */
    async *batches(file: string): AsyncIterable<PartRows> {
        if ((await this.#detectPacking(file)) !== 'none') {
            for await (const row of this.rows(file)) yield { part: row.part, rows: [row] };
            return;
        }
        for await (const rows of readRowBatches(file)) yield { part: 0, rows };
    }

    /** Opens the file that holds the bytes of one part's rows. The caller closes it. @throws UserError, WriteError */
    async open(file: string, part: number): Promise<FileHandle> {
        const packing = await this.#detectPacking(file);
        return packing === 'none' ? openFile(file) : this.#openCopy(file, packing, part);
    }

    /**
     * Reads the bytes of one row again; fewer if the file has become shorter. @throws UserError, WriteError, the system's errors
     */
    async read(file: string, part: number, offset: number, length: number): Promise<Buffer> {
        // A file that was edited or replaced counts as another file. The check is synchronous because an asynchronous one would
        // cost more than reading the row.
        const stamp = stampFile(file);
        const key = JSON.stringify([file, part, stamp?.inode, stamp?.size, stamp?.mtime]);
        const reader = this.#readers.get(key) ?? new RowReader(() => this.open(file, part));
        this.#readers.delete(key);
        this.#readers.set(key, reader);
        for (const [oldest, one] of this.#readers) {
            if (this.#readers.size <= MAX_OPEN) break;
            this.#readers.delete(oldest);
            one.close();
        }
        return reader.read(offset, length);
    }

    /**
     * Opens the whole file as one part, for reading rows in any order. Each `offset` is relative to the bytes that `open`
     * returns.
     */
    async openWhole(file: string): Promise<WholeFile> {
        const packing = await this.#detectPacking(file);
        if (packing !== 'parquet') {
            return { rows: () => this.rows(file), open: () => this.open(file, 0) };
        }
        const open = (): Promise<FileHandle> => this.#openCopy(file, packing, null);
        return { rows: () => readLines(file, open), open };
    }

    /**
     * The folder that an archive of packages was unpacked into. Each archive is unpacked once for all callers. @throws UserError,
     * WriteError
     */
    unpacked(archive: string): Promise<string> {
        const known = this.#unpacked.get(archive);
        if (known !== undefined) return known;
        const folder = this.#scratch().then(async (scratch) => {
            const target = join(scratch, `archive-${randomBytes(8).toString('hex')}`);
            await unpackArchive(archive, target);
            return target;
        });
        this.#unpacked.set(archive, folder);
        return folder;
    }

    async close(): Promise<void> {
        for (const reader of this.#readers.values()) reader.close();
        this.#readers.clear();
        await this.#parquet.close();
    }

    async *#parquetRows(file: string): AsyncIterable<PartRow> {
        const groups = await this.#parquet.describe(file);
        let first = 0;
        for (const [part, count] of groups.entries()) {
            for await (const row of readLines(file, () => this.open(file, part))) {
                yield placeRow(row, part, first);
            }
            first += count;
        }
    }

    #detectPacking(file: string): Promise<Packing> {
        const known = this.#packings.get(file);
        if (known !== undefined) return known;
        const packing = detectPacking(file);
        this.#packings.set(file, packing);
        return packing;
    }

    /** @param part null: all parts, one after the other */
    async #openCopy(
        file: string,
        packing: Exclude<Packing, 'none'>,
        part: number | null,
    ): Promise<FileHandle> {
        // A file that was replaced in the meantime counts as another file.
        const { inode, size, mtime } = await readStamp(file);
        return this.#copies.open(JSON.stringify([file, inode, size, mtime, part]), (path) =>
            packing === 'parquet'
                ? this.#parquet.decode(file, part, path)
                : pipeline(unpackBytes(file, packing), createWriteStream(path, { flags: 'wx' })),
        );
    }
}

export interface WholeFile {
    rows(): AsyncIterable<RawRow>;
    /** Opens the bytes that hold the rows. The caller closes it. */
    open(): Promise<FileHandle>;
}

async function* inOnePart(rows: AsyncIterable<RawRow>): AsyncIterable<PartRow> {
    for await (const row of rows) yield placeRow(row, 0);
}

/**
 * Copies fields one by one, since a row may compute others on demand. @param first number of rows in the file before this part
 */
function placeRow({ line, offset, length, bytes }: RawRow, part: number, first = 0): PartRow {
    return { line: first + line, offset, length, bytes, part };
}

async function* readLines(file: string, open: () => Promise<FileHandle>): AsyncIterable<RawRow> {
    yield* readJsonLines(file, MAX_ROW_BYTES, readHandle(await open()));
}

async function* unpackBytes(file: string, packing: 'gzip' | 'zstd'): AsyncIterable<Buffer> {
    for await (const { bytes } of unpackChunks(file, packing)) yield bytes;
}

import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import type { FileStamp } from '../model/checkpoint.js';
import type { Sample } from '../model/sample.js';
import { type PlacedRow, SampleRows } from '../model/sample-rows.js';
import { RowsById } from '../model/rows-by-id.js';
import { WriteError } from '../host/write-error.js';
import { readReason } from '../util/io-error.js';
import { shortenPath } from '../util/shown-path.js';
import { UserError } from '../util/user-error.js';
import { makeChangedDatasetError } from './dataset-error.js';
import type { Dataset, DatasetSource, IndexedSample, OpenOptions } from './dataset.js';
import type { Field } from './field.js';
import { resolveReferencedFile, readStamp } from './file-content.js';
import { recogniseRow } from './recognise.js';
import type { RowContent, RowFormat } from './row-content.js';
import { buildSample, listReferencedFiles } from './row-sample.js';
import { hashRow, parseOrdinaryRow, parseRow } from './rows/read-row.js';
import type { RawRow } from './rows/row.js';

/**
 * Position of a row. `file` is its number in the dataset's list; `as` identifies the format and version that counted its groups.
 */
interface RowLocator {
    readonly [key: string]: string | number;
    readonly as: string;
    readonly file: number;
    readonly line: number;
    /** See `PartRow` in row-files.ts. */
    readonly part: number;
    readonly offset: number;
    readonly length: number;
}

/** Increased when a format counts tasks or makes ids differently, so that rows indexed by an earlier version are read again. */
const INDEX_VERSION = 3;

/** Rows of one or more JSON files that share a format. */
export class RowDataset implements Dataset {
    readonly badRows: string[] = [];
    readonly #as: string;
    readonly #shownPaths: string[] = [];
    /** A row whose id has occurred before is a bad row. */
    readonly hasDistinctIds = true;

    constructor(
        private readonly source: DatasetSource,
        private readonly rowFormat: RowFormat,
        private readonly options: OpenOptions,
    ) {
        this.#as = `${rowFormat.key}/${INDEX_VERSION}`;
    }

    get path(): string {
        return this.source.path;
    }

    get format(): string {
        return this.rowFormat.key;
    }

    get limitPolicy(): RowFormat['limitPolicy'] {
        return this.rowFormat.limitPolicy;
    }

    get comparison(): RowFormat['comparison'] {
        return this.rowFormat.comparison;
    }

    get skipsNothing(): boolean {
        return this.rowFormat.skipsNothing === true;
    }

    async *index(): AsyncIterable<readonly IndexedSample[]> {
        this.badRows.length = 0;
        const seen = new RowsById();
        for (const number of this.source.items.keys()) {
            const path = this.#file(number);
            const stamp = await readStamp(path);
            const cached = this.#cached(path, stamp, number);
            if (cached !== null) {
                // A file that repeats an id is not cached, so only rows of different files can share one.
                const isOnly = this.source.items.length === 1;
                for (const some of inBatches(cached))
                    yield isOnly ? some : some.filter((row) => this.#isNew(row, seen));
                continue;
            }
            yield* this.#indexFile(number, stamp, seen);
        }
    }

    #isNew(indexed: PlacedRow, seen: RowsById): boolean {
        const first = seen.add(indexed);
        if (first !== -1) this.#bad(this.#twice(indexed, seen.at(first)));
        return first === -1;
    }

    placeOf({ locator }: IndexedSample): string {
        return this.#place((locator as RowLocator).file, (locator as RowLocator).line);
    }

    #twice(indexed: IndexedSample, first: IndexedSample): UserError {
        const id = JSON.stringify(indexed.id);
        return new UserError(
            `${this.placeOf(indexed)}: duplicate id ${id}, first used at ${this.placeOf(first)}`,
        );
    }

    async load(indexed: IndexedSample): Promise<Sample> {
        const { file, part, line, offset, length } = indexed.locator as RowLocator;
        const path = this.#file(file);
        const place = this.#place(file, line);
        const reading = this.options.files.read(path, part, offset, length);
        const bytes = await reading.catch((error: unknown) => {
            if (error instanceof WriteError) throw error;
            throw new UserError(`${path}: can no longer be read (${readReason(error)}); start again`);
        });
        const changed = (): UserError => makeChangedDatasetError(`${place}: the dataset`);
        if (bytes.length !== length) throw changed();
        const hash = hashRow(bytes);
        if (!indexed.fingerprint.startsWith(hash)) throw changed();
        const content = this.rowFormat.read(parseRow(bytes, place));
        if (hash + (await this.#filesMark(content, path, place)) !== indexed.fingerprint) throw changed();
        return buildSample(content, { folder: dirname(path), place }, this.rowFormat);
    }

    /** Yields rows in the batches in which they are read: a turn of the event loop per row would cost more than the row. */
    async *#indexFile(
        number: number,
        stamp: FileStamp,
        seen: RowsById,
    ): AsyncIterable<readonly IndexedSample[]> {
        const path = this.#file(number);
        const found = new SampleRows();
        const badBefore = this.badRows.length;
        let cacheable = true;
        for await (const { part, rows: several } of this.options.files.batches(path)) {
            const rows: IndexedSample[] = [];
            for (const raw of several) {
                try {
                    let indexed = this.#outlineRow(raw, number, part);
                    if (indexed === null) {
                        const { indexed: read, namesFiles } = this.#indexRow(raw, number, part);
                        // The dataset file's stamp does not cover the content of files that a row names.
                        cacheable &&= namesFiles === null;
                        indexed = namesFiles === null ? read : await namesFiles();
                    }
                    const row = found.push(indexed);
                    if (this.#isNew(row, seen)) rows.push(row);
                } catch (error) {
                    this.#bad(error);
                }
            }
            yield rows;
        }
        if (cacheable && found.length > 0 && this.badRows.length === badBefore) {
            this.options.cache.set(path, stamp, found);
        }
    }

    /** The index entry of an ordinary row; null if the row must be parsed fully. */
    #outlineRow(raw: RawRow, file: number, part: number): IndexedSample | null {
        const content = raw.text ?? raw.bytes;
        if (content === null || this.rowFormat.outline === undefined) return null;
        const row = parseOrdinaryRow(content);
        const outline = row === null ? null : this.rowFormat.outline(row);
        if (outline === null) return null;
        const { id, groups } = outline;
        const { line, offset, length } = raw;
        const locator: RowLocator = { as: this.#as, file, part, line, offset, length };
        return { id, locator, groups, fingerprint: hashRow(content) };
    }

    /**
     * @returns the row's entry; `namesFiles` is null unless the row names files, and otherwise returns an entry that includes
     * their stamps
     */
    #indexRow(
        { bytes, line, offset, length }: RawRow,
        file: number,
        part: number,
    ): { readonly indexed: IndexedSample; readonly namesFiles: (() => Promise<IndexedSample>) | null } {
        const place = this.#place(file, line);
        const row = parseRow(bytes, place);
        this.#checkFormat(row);
        const content = this.rowFormat.read(row);
        const locator: RowLocator = { as: this.#as, file, part, line, offset, length };
        const indexed: IndexedSample = {
            id: content.id,
            locator,
            groups: content.groups.map(([name, tasks]) => [name, tasks.length] as const),
            fingerprint: hashRow(bytes ?? Buffer.alloc(0)),
        };
        if (listReferencedFiles(content).length === 0) return { indexed, namesFiles: null };
        const mark = async (): Promise<IndexedSample> => ({
            ...indexed,
            fingerprint: indexed.fingerprint + (await this.#filesMark(content, this.#file(file), place)),
        });
        return { indexed, namesFiles: mark };
    }

    /** Rows of a file that has not changed since an earlier start; null if they must be read. */
    #cached(path: string, stamp: FileStamp, number: number): SampleRows | null {
        const rows = this.options.cache.get(path, stamp);
        const first = rows?.at(0)?.locator;
        if (rows === null || first?.['as'] !== this.#as) return null;
        if (first['file'] === number && rows instanceof SampleRows) return rows;
        const moved = new SampleRows();
        for (const { id, locator, groups, fingerprint } of rows)
            moved.push({ id, locator: { ...locator, file: number }, groups, fingerprint });
        return moved;
    }

    /** @throws UserError for a row that clearly has another format than its dataset */
    #checkFormat(row: Field): void {
        if (this.source.forced || this.rowFormat.recognises(row)) return;
        const other = recogniseRow(row);
        if (other !== null) {
            throw row.error(
                `this row has the format ${other.key}, but the dataset's first row has ${this.format}; use a separate file for each format`,
            );
        }
    }

    /** Stamps of the files that a row names, as a suffix of its fingerprint; empty if it names none. */
    async #filesMark(content: RowContent, path: string, place: string): Promise<string> {
        const names = listReferencedFiles(content);
        if (names.length === 0) return '';
        const hash = createHash('sha256');
        for (const name of names) {
            const stamp = await readStamp(await resolveReferencedFile(dirname(path), name, place));
            hash.update(JSON.stringify([name, stamp.size, stamp.mtime]));
        }
        return `-${hash.digest('hex').slice(0, 16)}`;
    }

    #bad(error: unknown): void {
        if (!(error instanceof UserError) || !this.options.skipBadRows) throw error;
        this.badRows.push(error.message);
    }

    #file(number: number): string {
        const path = this.source.items[number];
        if (path === undefined) throw makeChangedDatasetError(`${this.path}: the dataset`);
        return path;
    }

    /** Called for every row, in case a message needs it. */
    #place(file: number, line: number): string {
        const shown = this.#shownPaths[file] ?? shortenPath(this.#file(file));
        this.#shownPaths[file] = shown;
        return `${shown}:${line}`;
    }
}

/** Number of rows yielded at a time when nothing has to be read. */
const BATCH = 1024;

function* inBatches(rows: SampleRows): Generator<PlacedRow[]> {
    let batch: PlacedRow[] = [];
    for (const row of rows) {
        batch.push(row);
        if (batch.length < BATCH) continue;
        yield batch;
        batch = [];
    }
    yield batch;
}

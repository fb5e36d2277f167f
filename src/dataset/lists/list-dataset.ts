import { hash } from 'node:crypto';
import { isSameStamp } from '../../host/stamp.js';
import { WriteError } from '../../host/write-error.js';
import { canonicalizeExactJson, losesNumbers, parseExactJson } from '../../model/exact-json.js';
import type { FileStamp } from '../../model/checkpoint.js';
import { canonicalizeJson } from '../../model/fingerprint.js';
import { LIST_GROUP, type Sample, type TaskInput } from '../../model/sample.js';
import { readReason, withDescriptors } from '../../util/io-error.js';
import { shortenPath } from '../../util/shown-path.js';
import { UserError } from '../../util/user-error.js';
import { makeChangedDatasetError } from '../dataset-error.js';
import type { Dataset, DatasetFormat, DatasetSource, IndexedSample, OpenOptions } from '../dataset.js';
import type { Field } from '../field.js';
import { readStamp } from '../file-content.js';
import { buildData } from '../row-sample.js';
import { type BucketLayout, BucketLayoutBuilder, countBuckets, type RowSpan } from './bucket-layout.js';
import { makeSampleId } from './buckets-in-names.js';
import type { ListFile, ListReader } from './list-reader.js';
import { readRowsAt } from './read-rows-at.js';

/** Increased when the assignment or reading of rows changes, so that lists indexed by an earlier version are read again. */
const INDEX_VERSION = 1;

/** Most field names that are remembered, to check the command's placeholders; data with more fields is not a table. */
const MAX_FIELDS = 10_000;

interface ListLocator {
    readonly [key: string]: string | number | string[];
    readonly as: string;
    readonly file: number;
    readonly bucket: number;
    readonly buckets: number;
    /** All fields that occur in the file's rows. */
    readonly fields: string[];
}

/** A list that has been read to its end. */
interface ReadList {
    readonly layout: BucketLayout;
    readonly list: ListFile;
    readonly fields: string[];
}

/** Opens lists that `reader` reads. */
export function listFormat(reader: ListReader): DatasetFormat {
    return { open: (source, options) => new ListDataset(source, reader, options) };
}

/**
 * A list: each row is a task, and about `--rows-per-sample` rows form a sample. See bucket-layout.ts for which rows go together.
 */
class ListDataset implements Dataset {
    readonly limitPolicy = 'own';
    readonly comparison = null;
    readonly skipsNothing = true;
    readonly badRows: string[] = [];
    readonly #as: string;
    readonly #fields = new Set<string>();
    readonly #buckets = new Map<string, number>();
    readonly #layouts = new Map<string, Promise<Pick<ReadList, 'layout' | 'list'>>>();

    constructor(
        private readonly source: DatasetSource,
        private readonly reader: ListReader,
        private readonly options: OpenOptions,
    ) {
        this.#as = `${reader.key}/${INDEX_VERSION}`;
    }

    get format(): string {
        return this.reader.key;
    }

    get path(): string {
        return this.source.path;
    }

    get fields(): ReadonlySet<string> {
        return this.#fields;
    }

    get buckets(): ReadonlyMap<string, number> {
        return this.#buckets;
    }

    async *index(): AsyncIterable<readonly IndexedSample[]> {
        this.badRows.length = 0;
        for (const [number, path] of this.source.items.entries()) {
            const stamp = await readStamp(path);
            const known = this.#cached(path, stamp, number);
            const samples = known === null ? await this.#indexFile(number, path, stamp) : [...known];
            for (const { locator } of samples.slice(0, 1)) {
                const { fields, buckets } = locator as ListLocator;
                for (const field of fields) this.#fields.add(field);
                this.#buckets.set(path, buckets);
            }
            yield samples;
        }
    }

    placeOf({ locator }: IndexedSample): string {
        return this.source.items[(locator as ListLocator).file] ?? this.path;
    }

    /** Samples of a file that has not changed since an earlier start; null if it must be read. */
    #cached(path: string, stamp: FileStamp, file: number): Iterable<IndexedSample> | null {
        const known = this.options.cache.get(path, stamp);
        const locator = known?.at(0)?.locator as ListLocator | undefined;
        if (known === null || locator?.as !== this.#as) return null;
        const buckets = this.options.lists.bucketsOf(path);
        if (buckets !== null && buckets !== locator.buckets) return null;
        if (locator.file === file) return known;
        return Array.from(known, ({ id, locator: before, groups, fingerprint }) => ({
            id,
            locator: { ...before, file },
            groups,
            fingerprint,
        }));
    }

    async #indexFile(file: number, path: string, stamp: FileStamp): Promise<readonly IndexedSample[]> {
        const badBefore = this.badRows.length;
        const { layout, list, fields } = await this.#read(path, this.options.lists.bucketsOf(path));
        this.#layouts.set(path, Promise.resolve({ layout, list }));
        const { buckets } = layout;
        const samples: IndexedSample[] = [];
        for (let bucket = 0; bucket < buckets; bucket += 1) {
            const fingerprint = layout.getFingerprint(bucket);
            if (fingerprint === null) continue;
            const locator: ListLocator = { as: this.#as, file, bucket, buckets, fields };
            const count = layout.getRows(bucket).length;
            samples.push({
                id: makeSampleId(path, bucket, buckets),
                locator,
                groups: [[LIST_GROUP, count]],
                fingerprint,
            });
        }
        // Every start must report the rows that it leaves out, so such a file is not cached.
        if (this.badRows.length === badBefore) this.options.cache.set(path, stamp, samples);
        return samples;
    }

    /** Reads a whole file. @param known its number of buckets; null: determined by its number of rows */
    async #read(path: string, known: number | null): Promise<ReadList> {
        const list = await this.reader.open(path, this.options.files);
        const rows = new BucketLayoutBuilder();
        const fields = new Set<string>();
        const shown = shortenPath(path);
        for await (const row of list.rows()) {
            const { line, offset, length } = row;
            try {
                const field = await row.read(`${shown}:${line}`);
                rows.add({ line, offset, length, hash: hashPlacement(field) });
                for (const name of Object.keys(field.object()))
                    if (fields.size < MAX_FIELDS) fields.add(name);
            } catch (error) {
                this.#bad(error);
            }
        }
        const buckets = known ?? countBuckets(rows.count, this.options.lists.rowsPerSample);
        return { layout: rows.build(buckets, hashText), list, fields: [...fields] };
    }

    async load(indexed: IndexedSample): Promise<Sample> {
        const { file, bucket, buckets } = indexed.locator as ListLocator;
        const path = this.source.items[file];
        const changed = makeChangedDatasetError(`${shortenPath(path ?? this.path)}: the dataset`);
        if (path === undefined) throw changed;
        const { layout, list } = await this.#readLayout(path, buckets);
        if (layout.getFingerprint(bucket) !== indexed.fingerprint) throw changed;
        const inputs: TaskInput[] = [];
        const shown = shortenPath(path);
        for (const [place, bytes] of await this.#readBytes(path, list, layout.getRows(bucket))) {
            if (bytes.length !== place.length) throw changed;
            const field = list.parse(bytes, `${shown}:${place.line}`);
            if (hashPlacement(field) !== place.hash) throw changed;
            inputs.push({ ...buildData(field), isRow: true });
        }
        return {
            id: indexed.id,
            origin: shown,
            groups: { [LIST_GROUP]: inputs },
            judging: null,
            skip: null,
        };
    }

    /** Positions of rows. Reads the file again if an earlier start indexed it. */
    #readLayout(path: string, buckets: number): Promise<Pick<ReadList, 'layout' | 'list'>> {
        const known = this.#layouts.get(path);
        if (known !== undefined) return known;
        const reading = this.#readUnchanged(path, buckets);
        this.#layouts.set(path, reading);
        return reading;
    }

    async #readUnchanged(path: string, buckets: number): Promise<ReadList> {
        const before = await readStamp(path);
        const bad = this.badRows.length;
        const read = await this.#read(path, buckets);
        // Bad rows have been listed at the start already.
        this.badRows.length = bad;
        if (isSameStamp(before, await readStamp(path))) return read;
        throw makeChangedDatasetError(`${shortenPath(path)}: the dataset`);
    }

    async #readBytes(
        path: string,
        list: ListFile,
        rows: readonly RowSpan[],
    ): Promise<(readonly [RowSpan, Buffer])[]> {
        try {
            return await withDescriptors(async () => readRowsAt(await list.open(), rows));
        } catch (error) {
            if (error instanceof WriteError) throw error;
            throw new UserError(`${path}: can no longer be read (${readReason(error)}); start again`);
        }
    }

    #bad(error: unknown): void {
        if (!(error instanceof UserError) || !this.options.skipBadRows) throw error;
        this.badRows.push(error.message);
    }
}

const hashText = (text: string): string => hash('sha256', text).slice(0, 32);

/** 48 bits of a hash of the row's data; equal for rows with equal fingerprints. */
function hashPlacement(row: Field): number {
    const text = row.exactText();
    const exact = text === null ? null : parseExactJson(text);
    const canonical =
        exact !== null && losesNumbers(exact) ? canonicalizeExactJson(exact) : canonicalizeJson(row.object());
    return hash('sha256', canonical, 'buffer').readUIntBE(0, 6);
}

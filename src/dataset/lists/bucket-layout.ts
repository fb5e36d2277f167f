/*
 * Which rows of a list form one sample. To keep a list of a million rows from becoming a million files, its rows are spread over
 * samples ("buckets") of about a thousand rows, by a hash of their content: inserting, moving or removing a row does not change
 * the bucket of any other row. The number of buckets in a results directory never changes.
 */

/** Positions of rows, stored by column: twenty-odd bytes per row. */
export interface BucketLayout {
    readonly buckets: number;
    readonly rows: number;
    /** Rows of a bucket in file order. */
    getRows(bucket: number): readonly RowSpan[];
    /** A hash over the rows of a bucket; null if it is empty. */
    getFingerprint(bucket: number): string | null;
}

export interface RowSpan {
    readonly line: number;
    readonly offset: number;
    readonly length: number;
    /** 48 bits of the hash of the row's content. */
    readonly hash: number;
}

/** Collects rows, and assigns them to buckets once their number is known. */
export class BucketLayoutBuilder {
    #columns = makeEmptyColumns(1024);
    #count = 0;

    add(row: RowSpan): void {
        if (this.#count === this.#columns.lines.length) this.#columns = growColumns(this.#columns);
        const { lines, offsets, lengths, hashes } = this.#columns;
        lines[this.#count] = row.line;
        offsets[this.#count] = row.offset;
        lengths[this.#count] = row.length;
        hashes[this.#count] = row.hash;
        this.#count += 1;
    }

    get count(): number {
        return this.#count;
    }

    build(buckets: number, hashText: (text: string) => string): BucketLayout {
        return new Layout(this.#columns, this.#count, buckets, hashText);
    }
}

/** One bucket for every `rowsPerBucket` rows, and at least one. */
export const countBuckets = (rows: number, rowsPerBucket: number): number =>
    Math.max(1, Math.ceil(rows / rowsPerBucket));

interface Columns {
    readonly lines: Uint32Array;
    readonly offsets: Float64Array;
    readonly lengths: Uint32Array;
    readonly hashes: Float64Array;
}

const makeEmptyColumns = (size: number): Columns => ({
    lines: new Uint32Array(size),
    offsets: new Float64Array(size),
    lengths: new Uint32Array(size),
    hashes: new Float64Array(size),
});

function growColumns(columns: Columns): Columns {
    const larger = makeEmptyColumns(columns.lines.length * 2);
    larger.lines.set(columns.lines);
    larger.offsets.set(columns.offsets);
    larger.lengths.set(columns.lengths);
    larger.hashes.set(columns.hashes);
    return larger;
}

class Layout implements BucketLayout {
    /** Numbers of rows, grouped by bucket. */
    readonly #order: Uint32Array;
    /** Start of each bucket in `#order`, followed by the end of the last one. */
    readonly #starts: Uint32Array;

    constructor(
        private readonly columns: Columns,
        readonly rows: number,
        readonly buckets: number,
        private readonly hashText: (text: string) => string,
    ) {
        this.#starts = new Uint32Array(buckets + 1);
        for (let row = 0; row < rows; row += 1) this.#addTo(this.#starts, this.#chooseBucket(row) + 1);
        for (let bucket = 0; bucket < buckets; bucket += 1) {
            this.#starts[bucket + 1] = this.#start(bucket) + this.#start(bucket + 1);
        }
        this.#order = new Uint32Array(rows);
        const next = this.#starts.slice();
        for (let row = 0; row < rows; row += 1) {
            const bucket = this.#chooseBucket(row);
            this.#order[next[bucket] ?? 0] = row;
            this.#addTo(next, bucket);
        }
    }

    getRows(bucket: number): readonly RowSpan[] {
        const rows = this.#order.subarray(this.#start(bucket), this.#start(bucket + 1));
        const { lines, offsets, lengths, hashes } = this.columns;
        return Array.from(rows, (row) => ({
            line: lines[row] ?? 0,
            offset: offsets[row] ?? 0,
            length: lengths[row] ?? 0,
            hash: hashes[row] ?? 0,
        }));
    }

    getFingerprint(bucket: number): string | null {
        const rows = this.getRows(bucket);
        return rows.length === 0 ? null : this.hashText(rows.map(({ hash }) => hash).join(','));
    }

    #chooseBucket(row: number): number {
        return (this.columns.hashes[row] ?? 0) % this.buckets;
    }

    #start(bucket: number): number {
        return this.#starts[bucket] ?? 0;
    }

    #addTo(counts: Uint32Array, at: number): void {
        counts[at] = (counts[at] ?? 0) + 1;
    }
}

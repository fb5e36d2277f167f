import type { FileHandle } from 'node:fs/promises';
import { readFully } from '../rows/read-row.js';
import type { RowSpan } from './bucket-layout.js';

/** Most bytes read at once. */
const SPAN_BYTES = 4 * 1024 * 1024;
/** Reading the bytes between two rows is faster than a second call if there are at most this many. */
const GAP_BYTES = 64 * 1024;

/**
 * Reads rows of an open file, which must be in file order, and closes it. Yields fewer bytes than a row has if the file has
 * become shorter.
 */
export async function readRowsAt(
    handle: FileHandle,
    rows: readonly RowSpan[],
): Promise<(readonly [RowSpan, Buffer])[]> {
    try {
        const found: (readonly [RowSpan, Buffer])[] = [];
        for (const span of mergeSpans(rows)) {
            const bytes = await readFully(handle, span.offset, span.length);
            for (const row of span.rows) {
                const from = row.offset - span.offset;
                found.push([row, bytes.subarray(from, from + row.length)]);
            }
        }
        return found;
    } finally {
        await handle.close();
    }
}

interface Span {
    readonly offset: number;
    length: number;
    readonly rows: RowSpan[];
}

/** Combines rows that are close together. */
function mergeSpans(rows: readonly RowSpan[]): readonly Span[] {
    const spans: Span[] = [];
    for (const row of rows) {
        const last = spans.at(-1);
        const length = last === undefined ? 0 : row.offset + row.length - last.offset;
        const gap = last === undefined ? 0 : row.offset - last.offset - last.length;
        if (last !== undefined && gap <= GAP_BYTES && length <= SPAN_BYTES) {
            last.length = length;
            last.rows.push(row);
        } else spans.push({ offset: row.offset, length: row.length, rows: [row] });
    }
    return spans;
}

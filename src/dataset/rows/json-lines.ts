import { type Chunk, MAX_ROW_BYTES, type RawRow, RowBytes, readChunks, skipByteOrderMark } from './row.js';

const NEWLINE = 0x0a;

/**
 * Rows of a JSONL file: one a line, LF or CRLF, empty lines left out, the last line with or without its end.
 * @param chunks what the file holds, where it is not read as it is
 */
export async function* readJsonLines(
    file: string,
    maxBytes = MAX_ROW_BYTES,
    chunks: AsyncIterable<Chunk> = readChunks(file),
): AsyncIterable<RawRow> {
    for await (const rows of readJsonLineBatches(file, maxBytes, chunks)) yield* rows;
}

/** The same rows in lists, those of a chunk together: millions of small ones are gone through much faster so. */
export async function* readJsonLineBatches(
    file: string,
    maxBytes = MAX_ROW_BYTES,
    chunks: AsyncIterable<Chunk> = readChunks(file),
): AsyncIterable<readonly RawRow[]> {
    const row = new RowBytes(maxBytes);
    let line = 1;
    let offset = 0;
    for await (const chunk of chunks) {
        const rows: RawRow[] = [];
        let from = 0;
        if (chunk.offset === 0) {
            from = skipByteOrderMark(chunk.bytes, file);
            offset = from;
        }
        for (
            let end = chunk.bytes.indexOf(NEWLINE, from);
            end !== -1;
            end = chunk.bytes.indexOf(NEWLINE, from)
        ) {
            row.add(chunk.bytes.subarray(from, end));
            const found = takeLine(row, line, offset);
            if (found !== null) rows.push(found);
            from = end + 1;
            offset = chunk.offset + from;
            line += 1;
        }
        row.add(chunk.bytes.subarray(from));
        if (rows.length > 0) yield rows;
    }
    const last = takeLine(row, line, offset);
    if (last !== null) yield [last];
}

function takeLine(row: RowBytes, line: number, offset: number): RawRow | null {
    const { length } = row;
    const bytes = row.take();
    if (bytes === null) return { line, offset, length, bytes };
    return isBlank(bytes) ? null : { line, offset, length, bytes };
}

function isBlank(bytes: Buffer): boolean {
    for (const byte of bytes) if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
    return true;
}

import { isAscii } from 'node:buffer';
import { type Chunk, MAX_ROW_BYTES, type RawRow, RowBytes, readChunks, skipByteOrderMark } from './row.js';

const NEWLINE = 0x0a;

/**
 * Rows of a JSONL file, one on each line. Lines may end in LF or CRLF, empty lines are skipped, and the last line need not have
 * an end.
 * @param chunks the file's content, if it is not read directly from the file
 */
export async function* readJsonLines(
    file: string,
    maxBytes = MAX_ROW_BYTES,
    chunks: AsyncIterable<Chunk> = readChunks(file),
): AsyncIterable<RawRow> {
    for await (const rows of readJsonLineBatches(file, maxBytes, chunks)) yield* rows;
}

/** The same rows in batches, one for each chunk, which makes iterating over millions of small rows much faster. */
export async function* readJsonLineBatches(
    file: string,
    maxBytes = MAX_ROW_BYTES,
    chunks: AsyncIterable<Chunk> = readChunks(file),
): AsyncIterable<readonly RawRow[]> {
    const row = new RowBytes(maxBytes);
    const mostAsText = Math.min(maxBytes, MAX_TEXT_LINE_BYTES);
    let line = 1;
    let offset = 0;
    for await (const chunk of chunks) {
        const rows: RawRow[] = [];
        const { bytes } = chunk;
        const asText = new AsciiText(bytes);
        let from = 0;
        if (chunk.offset === 0) {
            from = skipByteOrderMark(bytes, file);
            offset = from;
        }
        for (let end = bytes.indexOf(NEWLINE, from); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
            const isShort = row.length === 0 && end - from <= mostAsText;
            const text = isShort ? asText.slice(from, end) : null;
            if (text === null) row.add(bytes.subarray(from, end));
            const found =
                text === null ? takeLine(row, line, offset) : makeTextLine(text, line, offset, bytes, from);
            if (found !== null) rows.push(found);
            from = end + 1;
            offset = chunk.offset + from;
            line += 1;
        }
        row.add(bytes.subarray(from));
        if (rows.length > 0) yield rows;
    }
    const last = takeLine(row, line, offset);
    if (last !== null) yield [last];
}

/**
 * Longest line, in bytes, that is passed on as text. For short lines, a separate buffer and decoding would be most of the work.
 */
const MAX_TEXT_LINE_BYTES = 4096;

/** The bytes of a chunk as text, decoded when the first line is requested. */
class AsciiText {
    #text: string | null | undefined = undefined;

    constructor(private readonly bytes: Buffer) {}

    /** Null if the chunk contains anything but ASCII, since then bytes do not correspond to characters. */
    slice(from: number, end: number): string | null {
        if (this.#text === undefined) this.#text = isAscii(this.bytes) ? this.bytes.toString('latin1') : null;
        return this.#text === null ? null : this.#text.slice(from, end);
    }
}

/** A line whose bytes are made on demand. */
class TextLine implements RawRow {
    constructor(
        readonly text: string,
        readonly line: number,
        readonly offset: number,
        private readonly chunk: Buffer,
        private readonly from: number,
    ) {}

    get length(): number {
        return this.text.length;
    }

    get bytes(): Buffer {
        return this.chunk.subarray(this.from, this.from + this.text.length);
    }
}

function makeTextLine(
    text: string,
    line: number,
    offset: number,
    chunk: Buffer,
    from: number,
): RawRow | null {
    return isBlankText(text) ? null : new TextLine(text, line, offset, chunk, from);
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

function isBlankText(text: string): boolean {
    for (let i = 0; i < text.length; i += 1) {
        const character = text.charCodeAt(i);
        if (character !== 0x20 && character !== 0x09 && character !== 0x0d) return false;
    }
    return true;
}

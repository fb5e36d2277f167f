import { makeDatasetError } from '../dataset-error.js';

const QUOTE = 0x22;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Records up to this size go straight to the parser, which describes faulty quotes better than we could. */
const HELD_FROM = 1024 * 1024;

/**
 * Passes on the bytes of a file of delimited values, and refuses a record of more than `maxBytes` (usually because of an unclosed
 * quote) before the parser has gone through it byte by byte. Holds at most `maxBytes`.
 * @param path for messages
 * @throws UserError that names the line where such a record begins
 */
export async function* boundRecords(
    chunks: AsyncIterable<Buffer>,
    path: string,
    maxBytes: number,
): AsyncIterable<Buffer> {
    const scan = new RecordScan();
    let held: Buffer[] = [];
    for await (const chunk of chunks) {
        scan.read(chunk);
        if (scan.length > maxBytes) {
            throw makeDatasetError(
                `${path}:${scan.line}: the row is longer than ${Math.floor(maxBytes / 1024 / 1024)} MiB, the limit; ` +
                    'is a quote not closed?',
            );
        }
        held.push(chunk);
        if (scan.length > HELD_FROM) continue;
        yield* held;
        held = [];
    }
    yield* held;
}

/** Finds the ends of records: line ends outside of quotes. */
class RecordScan {
    /** Line on which the current record begins, starting at 1. */
    line = 1;
    /** Bytes of the current record so far. */
    length = 0;
    #isQuoted = false;
    #lines = 0;

    read(chunk: Buffer): void {
        const quotes = new Finder(chunk, QUOTE);
        const newlines = new Finder(chunk, NEWLINE);
        const returns = new Finder(chunk, RETURN);
        let from = 0;
        for (;;) {
            const quote = quotes.next(from);
            const newline = newlines.next(from);
            const at = Math.min(quote, newline, this.#isQuoted ? chunk.length : returns.next(from));
            if (at >= chunk.length) break;
            this.length += at + 1 - from;
            from = at + 1;
            if (at === quote) this.#isQuoted = !this.#isQuoted;
            else this.#endLine(at === newline);
        }
        this.length += chunk.length - from;
    }

    /**
     * @param counts false for a carriage return. On its own it also ends a record, for files without newlines, but is not counted
     * as a line: messages then name line 1.
     */
    #endLine(counts: boolean): void {
        if (counts) this.#lines += 1;
        if (this.#isQuoted) return;
        this.line += this.#lines;
        this.#lines = 0;
        this.length = 0;
    }
}

/** Searches for one byte, going over each part of the buffer only once. */
class Finder {
    #found = -1;

    constructor(
        private readonly bytes: Buffer,
        private readonly wanted: number,
    ) {}

    /** The first position at or after `from`; the buffer's length if there is none. */
    next(from: number): number {
        if (this.#found < from) {
            const found = this.bytes.indexOf(this.wanted, from);
            this.#found = found === -1 ? this.bytes.length : found;
        }
        return this.#found;
    }
}

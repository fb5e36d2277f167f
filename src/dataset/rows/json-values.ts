import { JsonEnd } from '../../util/json-end.js';
import { shortenPath } from '../../util/shown-path.js';
import { makeDatasetError } from '../dataset-error.js';
import { MAX_ROW_BYTES, type RawRow, RowBytes, readChunks, skipByteOrderMark } from './row.js';

/*
 * Finds the rows of a .json file without parsing or holding the file: the elements of one array, or consecutive objects (a single
 * object, or JSONL with the wrong extension). Only brackets and strings are tracked, so that a row ends where JSON.parse would
 * end it. Its content is checked when the row is parsed.
 *
 *   start --[--> between --{--> row --}--> between --]--> end
 *     '-----{--> row (no array: the next row may follow at once)
 */

const COMMA = 0x2c;
const NEWLINE = 0x0a;
const [OPEN_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x5b, 0x5d];

/** Rows of a JSON file. @throws UserError if the file is neither an array of objects nor a sequence of objects */
export async function* readJsonValues(file: string, maxBytes = MAX_ROW_BYTES): AsyncIterable<RawRow> {
    const scanner = new Scanner(file, maxBytes);
    for await (const chunk of readChunks(file)) {
        const from = chunk.offset === 0 ? skipByteOrderMark(chunk.bytes, file) : 0;
        yield* scanner.scan(chunk.bytes, from, chunk.offset);
    }
    scanner.finish();
}

class Scanner {
    readonly #row: RowBytes;
    #line = 1;
    #place: 'start' | 'between' | 'row' | 'end' = 'start';
    #inArray = false;
    /** A comma must come before the next element. */
    #needsComma = false;
    #afterComma = false;
    readonly #end = new JsonEnd();
    #start = { line: 1, offset: 0 };

    constructor(
        private readonly file: string,
        maxBytes: number,
    ) {
        this.#row = new RowBytes(maxBytes);
    }

    *scan(bytes: Buffer, from: number, offset: number): Iterable<RawRow> {
        let at = from;
        while (at < bytes.length) {
            if (this.#place !== 'row') {
                at = this.#between(bytes, at, offset);
                continue;
            }
            const end = this.#end.find(bytes, at);
            const piece = bytes.subarray(at, end ?? bytes.length);
            this.#row.add(piece);
            this.#line += countLines(piece);
            at += piece.length;
            if (end !== null) yield this.#take();
        }
    }

    /** @throws UserError if the file ends inside an array or row */
    finish(): void {
        if (this.#place === 'row') {
            throw makeDatasetError(
                `${shortenPath(this.file)}:${this.#start.line}: the file ends inside the row that starts here; is it complete?`,
            );
        }
        if (this.#inArray && this.#place !== 'end') {
            throw makeDatasetError(
                `${shortenPath(this.file)}:${this.#line}: the file ends inside its array; is it complete?`,
            );
        }
    }

    #take(): RawRow {
        const { length } = this.#row;
        this.#place = 'between';
        this.#needsComma = this.#inArray;
        return { ...this.#start, length, bytes: this.#row.take() };
    }

    /** Handles one byte outside of rows; returns the position at which to continue. */
    #between(bytes: Buffer, at: number, offset: number): number {
        const byte = bytes[at];
        if (byte === NEWLINE) this.#line += 1;
        if (byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === NEWLINE) return at + 1;
        if (byte === OPEN_BRACE && this.#place !== 'end' && !this.#needsComma) {
            this.#place = 'row';
            this.#afterComma = false;
            this.#start = { line: this.#line, offset: offset + at };
            return at;
        }
        if (byte === OPEN_BRACKET && this.#place === 'start') {
            this.#place = 'between';
            this.#inArray = true;
        } else if (byte === COMMA && this.#needsComma && this.#place === 'between') {
            this.#needsComma = false;
            this.#afterComma = true;
        } else if (
            byte === CLOSE_BRACKET &&
            this.#inArray &&
            this.#place === 'between' &&
            !this.#afterComma
        ) {
            this.#place = 'end';
        } else {
            throw makeDatasetError(`${shortenPath(this.file)}:${this.#line}: expected ${this.#expected()}`);
        }
        return at + 1;
    }

    #expected(): string {
        if (this.#place === 'start') return 'an array of objects, or a sequence of objects';
        if (this.#place === 'end') return 'nothing after the end of the array';
        return this.#needsComma ? 'a comma or the end of the array' : 'an object';
    }
}

function countLines(bytes: Buffer): number {
    let count = 0;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
    return count;
}

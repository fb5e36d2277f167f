import { readSync } from 'node:fs';
import type { Json } from '../../model/json.js';
import { ValueColumn } from '../../model/value-column.js';
import { DigitsColumn } from '../../util/columns/digits-column.js';
import { NumberColumn } from '../../util/columns/number-column.js';
import { TextArray } from '../../util/columns/text-array.js';
import { MAX_NESTING } from '../../util/nesting.js';
import type { IndexTokens } from './index-tokens.js';

const CHUNK_BYTES = 256 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const END = -1;
const code = (sign: string): number => sign.charCodeAt(0);

/**
 * Reads the JSON of an open file value by value, with only a small part of it in memory at a time. The caller says what it
 * expects next.
 * @throws (from its methods) SyntaxError if something else follows, and the system's errors
 */
export class JsonTokens implements IndexTokens {
    readonly #descriptor: number;
    #bytes = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    #at = 0;
    #end = 0;

    constructor(descriptor: number) {
        this.#descriptor = descriptor;
    }

    /** Calls `read` for each member of the next object; `read` takes the value. */
    members(read: (key: string) => void): void {
        this.#take('{');
        if (this.#takes('}')) return;
        do {
            const key = this.string();
            this.#take(':');
            read(key);
        } while (this.#takes(','));
        this.#take('}');
    }

    /** Calls `read` for each item of the next array; `read` takes the item. */
    items(read: (position: number) => void): void {
        this.#take('[');
        if (this.#takes(']')) return;
        let position = 0;
        do read(position++);
        while (this.#takes(','));
        this.#take(']');
    }

    texts(): TextArray {
        const column = new TextArray();
        this.items(() => column.push(this.string()));
        return column;
    }

    counts(): NumberColumn {
        const column = new NumberColumn();
        this.items(() => column.push(this.count()));
        return column;
    }

    values(): ValueColumn {
        const column = new ValueColumn();
        this.items((place) => column.pushAt(place, this.value()));
        return column;
    }

    digits(): { readonly column: DigitsColumn; readonly length: number } {
        const column = new DigitsColumn();
        let length = 0;
        this.items(() => {
            column.push(this.string());
            length += 1;
        });
        return { column, length };
    }

    /** Whether the next value is text. */
    get isString(): boolean {
        return this.#next() === QUOTE;
    }

    string(): string {
        if (this.#next() !== QUOTE) this.#fail();
        let isPlain = true;
        let end = this.#at + 1;
        for (;;) {
            if (end >= this.#end) end -= this.#fill(end);
            const byte = this.#bytes[end];
            if (byte === QUOTE) break;
            if (byte === BACKSLASH) {
                isPlain = false;
                end += 1;
            } else if (byte === undefined || byte < 0x20 || byte > 0x7e) {
                isPlain = false;
            }
            end += 1;
        }
        const text = isPlain
            ? this.#bytes.toString('latin1', this.#at + 1, end)
            : (JSON.parse(this.#bytes.toString('utf8', this.#at, end + 1)) as string);
        this.#at = end + 1;
        return text;
    }

    /** A number that begins with a digit, usually an integer. */
    #number(): Json {
        const value = this.#digits();
        const end = this.#bytes[this.#at];
        // A comma or a bracket almost always ends it.
        if (value !== null && this.#at < this.#end && (end === 0x2c || end === 0x5d)) return value;
        // Not an integer: start again from its first digit.
        this.#at = this.#numberStart;
        return JSON.parse(this.#word()) as Json;
    }

    #numberStart = 0;

    /** A non-negative integer. */
    count(): number {
        this.#next();
        return this.#digits() ?? this.#fail();
    }

    /** The digits that follow; null if there are none, or more than a number can hold. */
    #digits(): number | null {
        let value = 0;
        let end = this.#at;
        for (;;) {
            if (end >= this.#end) {
                const moved = this.#fill(end, true);
                if (moved === END) break;
                end -= moved;
            }
            const digit = (this.#bytes[end] ?? 0) - 0x30;
            if (digit < 0 || digit > 9) break;
            value = value * 10 + digit;
            end += 1;
        }
        if (end === this.#at) return null;
        this.#numberStart = this.#at;
        this.#at = end;
        return Number.isSafeInteger(value) ? value : null;
    }

    /** Any value. */
    value(depth = 0): Json {
        const first = this.#next();
        if (depth > MAX_NESTING) this.#fail();
        if (first === QUOTE) return this.string();
        if (first === code('[')) {
            const list: Json[] = [];
            this.items(() => list.push(this.value(depth + 1)));
            return list;
        }
        if (first === code('{')) {
            const members: [string, Json][] = [];
            this.members((key) => members.push([key, this.value(depth + 1)]));
            return Object.fromEntries(members);
        }
        return first >= 0x30 && first <= 0x39 ? this.#number() : (JSON.parse(this.#word()) as Json);
    }

    /** Nothing may follow. */
    finish(): void {
        if (this.#next() !== END) this.#fail();
    }

    /** A number, or one of the three words. */
    #word(): string {
        let end = this.#at;
        for (;;) {
            if (end >= this.#end) {
                const moved = this.#fill(end, true);
                if (moved === END) break;
                end -= moved;
            }
            if (/[^\w.+-]/.test(String.fromCharCode(this.#bytes[end] ?? 0))) break;
            end += 1;
        }
        const word = this.#bytes.toString('latin1', this.#at, end);
        this.#at = end;
        return word;
    }

    #take(sign: string): void {
        if (!this.#takes(sign)) this.#fail();
    }

    #takes(sign: string): boolean {
        if (this.#next() !== sign.charCodeAt(0)) return false;
        this.#at += 1;
        return true;
    }

    /** The next byte that is not white space, without taking it; -1 at the end of the file. */
    #next(): number {
        for (;;) {
            if (this.#at >= this.#end && this.#fill(this.#at, true) === END) return END;
            const byte = this.#bytes[this.#at] ?? END;
            if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
            this.#at += 1;
        }
    }

    /**
     * Reads more, keeping everything from `#at` on.
     * @returns by how much the bytes moved to the front; -1 at the end of the file, if that `mayEnd`
     */
    #fill(upTo: number, mayEnd = false): number {
        const moved = this.#at;
        const kept = this.#end - moved;
        if (upTo - moved > this.#bytes.length / 2) {
            const larger = Buffer.allocUnsafeSlow(2 * this.#bytes.length);
            this.#bytes.copy(larger, 0, moved, this.#end);
            this.#bytes = larger;
        } else {
            this.#bytes.copyWithin(0, moved, this.#end);
        }
        this.#at = 0;
        this.#end = kept;
        const read = readSync(this.#descriptor, this.#bytes, kept, this.#bytes.length - kept, null);
        if (read === 0 && !mayEnd) this.#fail();
        this.#end += read;
        return read === 0 ? this.#ended(moved) : moved;
    }

    /** At the end of the file: restores what was kept to where the caller expects it. */
    #ended(moved: number): typeof END {
        this.#bytes.copyWithin(moved, 0, this.#end);
        this.#at = moved;
        this.#end += moved;
        return END;
    }

    #fail(): never {
        throw new SyntaxError('not the JSON that was expected');
    }
}

import { NumberColumn } from './number-column.js';

/** Bytes of one buffer; a longer text gets its own. The first one starts small and grows to this. */
const CHUNK = 1024 * 1024;
const MIN_CHUNK = 64;
/** Bytes before each text: its length in bytes, times four, plus its encoding. */
const HEAD = 4;

const ASCII = 0;
const UTF16 = 1;
const HEX = 2;
type Form = typeof ASCII | typeof UTF16 | typeof HEX;

// For long texts.
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
const OF_ASCII = /^[\0-\x7f]*$/;
const HEXADECIMAL = /^[0-9a-f]+$/;

/**
 * Texts of many samples, by place, in a few large buffers: ASCII takes one byte per character, a hash in hex half of that,
 * anything else two bytes, so that unpaired surrogates survive. Texts are added, never changed.
 */
export class TextArray {
    readonly #chunks: Buffer[] = [];
    /** Where the next text goes: the used bytes of the last chunk. */
    #used = 0;
    readonly #starts = new NumberColumn();

    /** The first texts, unpacked. */
    readonly #given: readonly string[];

    /** @param given its first texts, which stay as they are: for a few thousand, packing is not worthwhile */
    constructor(given: readonly string[] = []) {
        this.#given = given;
    }

    get length(): number {
        return this.#given.length + this.#starts.length;
    }

    /** @returns its place */
    push(text: string): number {
        const place = this.length;
        if (text.length <= SHORT && mayBeHex(text) && this.#pushShortHex(text)) return place;
        const form = chooseForm(text);
        const size = form === ASCII ? text.length : form === HEX ? text.length / 2 : text.length * 2;
        const chunk = this.#makeRoom(HEAD + size);
        writeText(chunk, text, this.#used + HEAD, form);
        this.#end(chunk, size, form);
        return place;
    }

    /** The text at a place below `length`. */
    at(place: number): string {
        const given = this.#given[place];
        if (given !== undefined) return given;
        const start = this.#starts.at(place - this.#given.length);
        const chunk = this.#chunks[Math.floor(start / CHUNK)];
        if (chunk === undefined) throw new RangeError(`bug in resume-run: no text at ${place}`);
        const from = (start % CHUNK) + HEAD;
        const head = chunk.readUInt32LE(from - HEAD);
        const end = from + Math.floor(head / 4);
        const form = head % 4;
        return chunk.toString(form === ASCII ? 'latin1' : form === HEX ? 'hex' : 'utf16le', from, end);
    }

    /** Whether exactly this text is at a place below `length`. */
    isAt(place: number, text: string): boolean {
        const given = this.#given[place];
        if (given !== undefined) return given === text;
        const start = this.#starts.at(place - this.#given.length);
        const chunk = this.#chunks[Math.floor(start / CHUNK)];
        if (chunk === undefined) return false;
        const from = (start % CHUNK) + HEAD;
        const head = chunk.readUInt32LE(from - HEAD);
        if (head % 4 === HEX) return isHexOf(text, chunk, from, Math.floor(head / 4));
        if (head % 4 !== ASCII) return this.at(place) === text;
        if (text.length !== Math.floor(head / 4)) return false;
        for (let i = 0; i < text.length; i += 1) if (chunk[from + i] !== text.charCodeAt(i)) return false;
        return true;
    }

    /** Checks that the text is hex while writing it. @returns false, with nothing added, if it is not */
    #pushShortHex(text: string): boolean {
        const size = text.length / 2;
        const chunk = this.#makeRoom(HEAD + size);
        let to = this.#used + HEAD;
        for (let i = 0; i < text.length; i += 2) {
            const high = VALUES[text.charCodeAt(i)] ?? NONE;
            const low = VALUES[text.charCodeAt(i + 1)] ?? NONE;
            if (high === NONE || low === NONE) return false;
            chunk[to] = high * 16 + low;
            to += 1;
        }
        this.#end(chunk, size, HEX);
        return true;
    }

    /** Records the text of `size` bytes that was written to `chunk`. */
    #end(chunk: Buffer, size: number, form: Form): void {
        const head = size * 4 + form;
        const at = this.#used;
        // `writeUInt32LE` would take as long as the rest of a short text.
        chunk[at] = head;
        chunk[at + 1] = head >>> 8;
        chunk[at + 2] = head >>> 16;
        chunk[at + 3] = head >>> 24;
        this.#starts.push((this.#chunks.length - 1) * CHUNK + at);
        this.#used = at + HEAD + size;
    }

    /** A chunk with room for `bytes` more, at `#used`. */
    #makeRoom(bytes: number): Buffer {
        const last = this.#chunks.at(-1);
        if (last !== undefined && this.#used + bytes <= last.length) return last;
        if (last !== undefined && this.#chunks.length === 1 && this.#used + bytes <= CHUNK) {
            const larger = Buffer.allocUnsafeSlow(
                Math.min(CHUNK, Math.max(2 * last.length, this.#used + bytes)),
            );
            last.copy(larger);
            this.#chunks[0] = larger;
            return larger;
        }
        const size = last === undefined ? Math.max(MIN_CHUNK, bytes) : Math.max(CHUNK, bytes);
        const chunk = Buffer.allocUnsafeSlow(size);
        this.#chunks.push(chunk);
        this.#used = 0;
        return chunk;
    }
}

function isHexOf(text: string, bytes: Buffer, from: number, size: number): boolean {
    if (text.length !== 2 * size) return false;
    for (let i = 0; i < size; i += 1) {
        const byte = bytes[from + i] ?? 0;
        if (text.charCodeAt(2 * i) !== DIGITS.charCodeAt(byte >>> 4)) return false;
        if (text.charCodeAt(2 * i + 1) !== DIGITS.charCodeAt(byte & 15)) return false;
    }
    return true;
}

const DIGITS = '0123456789abcdef';
const NONE = 16;
/** The value of each digit by its character code, `NONE` for other codes. */
const VALUES = new Uint8Array(128).fill(NONE);
for (let value = 0; value < NONE; value += 1) VALUES[DIGITS.charCodeAt(value)] = value;

/** Texts up to this length are processed here: calling the runtime would take longer. */
const SHORT = 64;

function writeText(chunk: Buffer, text: string, from: number, form: Form): void {
    if (form === ASCII && text.length <= SHORT) {
        for (let i = 0; i < text.length; i += 1) chunk[from + i] = text.charCodeAt(i);
    } else {
        chunk.write(text, from, form === ASCII ? 'latin1' : form === HEX ? 'hex' : 'utf16le');
    }
}

const mayBeHex = (text: string): boolean => text.length >= 32 && text.length % 2 === 0;

/** The form of a text that `#pushShortHex` did not take. */
function chooseForm(text: string): Form {
    if (text.length <= SHORT) return isShortAscii(text) ? ASCII : UTF16;
    if (mayBeHex(text) && HEXADECIMAL.test(text)) return HEX;
    return OF_ASCII.test(text) ? ASCII : UTF16;
}

function isShortAscii(text: string): boolean {
    for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 0x7f) return false;
    return true;
}

import { JsonEnd } from '../../util/json-end.js';

/*
 * Splits a JSON object that is too large for one string into its members, and requested arrays into their elements, as bytes:
 * each piece is small enough for JSON.parse. Only what separates the pieces is checked here.
 */

/** Receives a member, or one element of a member that is split. */
export interface ScanReceiver {
    /** Whether the elements of this array are wanted one by one. */
    splits(key: string): boolean;
    /** A whole member. `bytes` is null if it was larger than `MAX_PIECE_BYTES`. */
    member(key: string, bytes: Buffer | null): void;
    /** A split array begins. */
    array(key: string): void;
    element(key: string, bytes: Buffer | null): void;
}

/** Larger pieces are skipped: a V8 string ends at 512 MiB. */
const MAX_PIECE_BYTES = 400 * 1024 * 1024;

type Phase =
    | 'start'
    | 'first key'
    | 'key'
    | 'colon'
    | 'value'
    | 'first element'
    | 'element'
    | 'after member'
    | 'after element'
    | 'end';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Thrown by `JsonScanner`: the bytes are not a JSON object. */
export class ScanError extends Error {
    override readonly name = 'ScanError';
}

export class JsonScanner {
    readonly #receiver: ScanReceiver;
    #phase: Phase = 'start';
    #key = '';
    #offset = 0;
    // The piece being captured.
    #capturing = false;
    #scalar = false;
    readonly #end = new JsonEnd();
    #parts: Buffer[] = [];
    #size = 0;

    constructor(receiver: ScanReceiver) {
        this.#receiver = receiver;
    }

    /** @throws ScanError at the first byte that cannot be */
    push(chunk: Buffer): void {
        let at = 0;
        while (at < chunk.length) at = this.#capturing ? this.#capture(chunk, at) : this.#between(chunk, at);
        this.#offset += chunk.length;
    }

    /** @throws ScanError if the object is incomplete */
    end(): void {
        if (this.#phase !== 'end') throw new ScanError(`ends after ${this.#offset} bytes, in the middle`);
    }

    /** Handles one byte between pieces, or starts to capture at it; returns the next position. */
    #between(chunk: Buffer, at: number): number {
        const byte = chunk[at] ?? 0;
        if (isSpace(byte)) return at + 1;
        switch (this.#phase) {
            case 'start':
                return this.#expect(byte, OPEN_BRACE, 'first key', at);
            case 'first key':
                if (byte === CLOSE_BRACE) return this.#to('end', at);
                return this.#begin(byte, at, byte === QUOTE);
            case 'key':
                return this.#begin(byte, at, byte === QUOTE);
            case 'colon':
                return this.#expect(byte, COLON, 'value', at);
            case 'value':
                if (byte === OPEN_BRACKET && this.#receiver.splits(this.#key)) {
                    this.#receiver.array(this.#key);
                    return this.#to('first element', at);
                }
                return this.#begin(byte, at, startsValue(byte));
            case 'first element':
                if (byte === CLOSE_BRACKET) return this.#to('after member', at);
                return this.#begin(byte, at, startsValue(byte));
            case 'element':
                return this.#begin(byte, at, startsValue(byte));
            case 'after member':
                if (byte === CLOSE_BRACE) return this.#to('end', at);
                return this.#expect(byte, COMMA, 'key', at);
            case 'after element':
                if (byte === CLOSE_BRACKET) return this.#to('after member', at);
                return this.#expect(byte, COMMA, 'element', at);
            case 'end':
                throw new ScanError(`something follows its end, at byte ${this.#offset + at}`);
        }
    }

    #to(phase: Phase, at: number): number {
        this.#phase = phase;
        return at + 1;
    }

    #expect(byte: number, wanted: number, next: Phase, at: number): number {
        if (byte !== wanted) throw new ScanError(`unexpected byte ${byte} at ${this.#offset + at}`);
        return this.#to(next, at);
    }

    #begin(byte: number, at: number, allowed: boolean): number {
        if (!allowed) throw new ScanError(`unexpected byte ${byte} at ${this.#offset + at}`);
        this.#capturing = true;
        this.#scalar = byte !== QUOTE && byte !== OPEN_BRACE && byte !== OPEN_BRACKET;
        this.#parts = [];
        this.#size = 0;
        return at;
    }

    /** Takes bytes from `from` to the end of the piece or of the chunk; returns the next position. */
    #capture(chunk: Buffer, from: number): number {
        const end = this.#scalar ? findScalarEnd(chunk, from) : this.#end.find(chunk, from);
        if (end !== null) return this.#finish(chunk, from, end);
        this.#keep(chunk, from, chunk.length);
        return chunk.length;
    }

    #keep(chunk: Buffer, from: number, to: number): void {
        this.#size += to - from;
        if (this.#size > MAX_PIECE_BYTES) this.#parts = [];
        else this.#parts.push(Buffer.from(chunk.subarray(from, to)));
    }

    #finish(chunk: Buffer, from: number, to: number): number {
        this.#keep(chunk, from, to);
        this.#capturing = false;
        const bytes = this.#size > MAX_PIECE_BYTES ? null : Buffer.concat(this.#parts, this.#size);
        this.#parts = [];
        if (this.#phase === 'first key' || this.#phase === 'key') {
            this.#key = readKeyText(bytes);
            this.#phase = 'colon';
        } else if (this.#phase === 'value') {
            this.#phase = 'after member';
            this.#receiver.member(this.#key, bytes);
        } else {
            this.#phase = 'after element';
            this.#receiver.element(this.#key, bytes);
        }
        return to;
    }
}

/** Where a number or a word ends; null if not in this chunk. */
function findScalarEnd(chunk: Buffer, from: number): number | null {
    for (let at = from; at < chunk.length; at += 1) {
        const byte = chunk[at] ?? 0;
        if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte)) return at;
    }
    return null;
}

function startsValue(byte: number): boolean {
    return byte !== COMMA && byte !== COLON && byte !== CLOSE_BRACE && byte !== CLOSE_BRACKET;
}

function readKeyText(bytes: Buffer | null): string {
    try {
        return String(JSON.parse(bytes?.toString() ?? ''));
    } catch (error) {
        throw new ScanError('a key is not a JSON string', { cause: error });
    }
}

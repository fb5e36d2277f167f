/** Bytes of a key's digest, see `digestKey`. */
export const DIGEST_BYTES = 16;

/** Bytes of a record's key: digest, then the revision as a double. */
export const KEY_ENTRY_BYTES = DIGEST_BYTES + 8;

/** The same as a number of 32-bit words, in the machine's byte order. */
export const DIGEST_WORDS = DIGEST_BYTES / 4;
export const KEY_ENTRY_WORDS = KEY_ENTRY_BYTES / 4;

/** A digest in the form that `KeyIndex` takes. */
export function toWords(digest: Buffer): Uint32Array {
    const words = new Uint32Array(DIGEST_WORDS);
    digest.copy(new Uint8Array(words.buffer), 0, 0, DIGEST_BYTES);
    return words;
}

/** The keys of records in order: of a part, as in its key file, or of a batch. */
export class RecordKeys {
    /** The whole buffer, and the same memory as words. */
    #bytes: Buffer;
    #words: Uint32Array;
    #count: number;

    constructor(bytes: Buffer = Buffer.alloc(0)) {
        // Words must be aligned to four bytes; a copy in its own memory is.
        this.#words = new Uint32Array(bytes.length / 4);
        this.#bytes = Buffer.from(this.#words.buffer);
        bytes.copy(this.#bytes);
        this.#count = bytes.length / KEY_ENTRY_BYTES;
    }

    /** The keys, `KEY_ENTRY_WORDS` words each, starting with the digest; valid until one is added. */
    get words(): Uint32Array {
        return this.#words;
    }

    get count(): number {
        return this.#count;
    }

    get bytes(): Buffer {
        return this.#bytes.subarray(0, this.#count * KEY_ENTRY_BYTES);
    }

    digest(row: number): Buffer {
        return this.#bytes.subarray(row * KEY_ENTRY_BYTES, row * KEY_ENTRY_BYTES + DIGEST_BYTES);
    }

    revision(row: number): number {
        return this.#bytes.readDoubleLE(row * KEY_ENTRY_BYTES + DIGEST_BYTES);
    }

    /** Adds the keys of another part, in its order, except for `dropped` rows. */
    pushAll(other: RecordKeys, dropped: ReadonlySet<number>): void {
        for (let row = 0; row < other.count; row += 1)
            if (!dropped.has(row)) this.push(other.digest(row), other.revision(row));
    }

    push(digest: Buffer, revision: number): void {
        const at = this.#makeRoom(1);
        digest.copy(this.#bytes, at);
        this.#bytes.writeDoubleLE(revision, at + DIGEST_BYTES);
    }

    /** @param digest its bytes as Latin-1 text, which may be longer */
    pushText(digest: string, revision: number): void {
        const at = this.#makeRoom(1);
        // Faster than a call of a Buffer method.
        for (let byte = 0; byte < DIGEST_BYTES; byte += 1) this.#bytes[at + byte] = digest.charCodeAt(byte);
        this.#bytes.writeDoubleLE(revision, at + DIGEST_BYTES);
    }

    /** Adds the keys of rows `from` to `to` (exclusive) of another list. */
    pushSome(other: RecordKeys, from: number, to: number): void {
        const at = this.#makeRoom(to - from);
        other.#bytes.copy(this.#bytes, at, from * KEY_ENTRY_BYTES, to * KEY_ENTRY_BYTES);
    }

    /** @returns position of the first of the new entries */
    #makeRoom(entries: number): number {
        const at = this.#count * KEY_ENTRY_BYTES;
        this.#count += entries;
        const end = this.#count * KEY_ENTRY_BYTES;
        if (end > this.#bytes.length) {
            const size = Math.max(64 * KEY_ENTRY_BYTES, end, this.#bytes.length * 2);
            const larger = new Uint32Array(size / 4);
            larger.set(this.#words);
            this.#words = larger;
            this.#bytes = Buffer.from(larger.buffer);
        }
        return at;
    }
}

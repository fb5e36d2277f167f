/** Bytes of a key's digest, see `digestKey`. */
export const DIGEST_BYTES = 16;

/** Bytes of a record's key: digest, then the revision as a double. */
export const KEY_ENTRY_BYTES = DIGEST_BYTES + 8;

/** The keys of records in their order: of a part, as its key file has them, or of a batch. */
export class RecordKeys {
    #bytes: Buffer;
    #count: number;

    constructor(bytes: Buffer = Buffer.alloc(0)) {
        this.#bytes = bytes;
        this.#count = bytes.length / KEY_ENTRY_BYTES;
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

    /** Adds the keys of another part, in its order, without those of `dropped` rows. */
    pushAll(other: RecordKeys, dropped: ReadonlySet<number>): void {
        for (let row = 0; row < other.count; row += 1)
            if (!dropped.has(row)) this.push(other.digest(row), other.revision(row));
    }

    push(digest: Buffer, revision: number): void {
        const at = this.#makeRoom(1);
        digest.copy(this.#bytes, at);
        this.#bytes.writeDoubleLE(revision, at + DIGEST_BYTES);
    }

    /** @param digest its bytes as Latin-1 text, of which the first ones count */
    pushText(digest: string, revision: number): void {
        const at = this.#makeRoom(1);
        // A call of Buffer takes longer.
        for (let byte = 0; byte < DIGEST_BYTES; byte += 1) this.#bytes[at + byte] = digest.charCodeAt(byte);
        this.#bytes.writeDoubleLE(revision, at + DIGEST_BYTES);
    }

    /** Adds the keys of rows `from` to `to` (exclusive) of another. */
    pushSome(other: RecordKeys, from: number, to: number): void {
        const at = this.#makeRoom(to - from);
        other.#bytes.copy(this.#bytes, at, from * KEY_ENTRY_BYTES, to * KEY_ENTRY_BYTES);
    }

    /** @returns where the first of so many new entries begins */
    #makeRoom(entries: number): number {
        const at = this.#count * KEY_ENTRY_BYTES;
        this.#count += entries;
        const end = this.#count * KEY_ENTRY_BYTES;
        if (end > this.#bytes.length) {
            const larger = Buffer.alloc(Math.max(64 * KEY_ENTRY_BYTES, end, this.#bytes.length * 2));
            this.#bytes.copy(larger);
            this.#bytes = larger;
        }
        return at;
    }
}

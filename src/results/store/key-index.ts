import { DIGEST_BYTES } from '../record/record.js';

/** Bytes of an entry of a key file: digest, then the revision as a double. */
export const KEY_ENTRY_BYTES = DIGEST_BYTES + 8;

/** The part of a key that was retired. */
export const RETIRED = 0xffff_ffff;

/** Where a record is. */
export interface KeyEntry {
    readonly revision: number;
    /** Number of the part, or RETIRED. */
    readonly part: number;
    /** Row in that part, from 0. */
    readonly row: number;
}

const WORDS = DIGEST_BYTES / 4;
const EMPTY = -1;

/**
 * Maps the digest of a key to its record. About 50 bytes a key, in typed arrays: a Map of a million texts would take five
 * times as much.
 */
export class KeyIndex {
    #size = 0;
    #slots = new Int32Array(1024).fill(EMPTY);
    #digests = new Uint32Array(512 * WORDS);
    #revisions = new Float64Array(512);
    #parts = new Uint32Array(512);
    #rows = new Uint32Array(512);

    get size(): number {
        return this.#size;
    }

    get(digest: Buffer): KeyEntry | null {
        const at = this.#slots[this.#findSlot(digest, 0)] ?? EMPTY;
        if (at === EMPTY) return null;
        return { revision: this.#revisions[at] ?? 0, part: this.#parts[at] ?? 0, row: this.#rows[at] ?? 0 };
    }

    set(digest: Buffer, entry: KeyEntry): void {
        this.#set(digest, 0, entry.revision, entry.part, entry.row);
    }

    /** Every row of a part. */
    setPart({ bytes, count }: PartKeys, part: number): void {
        for (let row = 0, at = 0; row < count; row += 1, at += KEY_ENTRY_BYTES)
            this.#set(bytes, at, bytes.readDoubleLE(at + DIGEST_BYTES), part, row);
    }

    #set(bytes: Buffer, start: number, revision: number, part: number, row: number): void {
        if (this.#size * 2 >= this.#slots.length) this.#grow();
        const slot = this.#findSlot(bytes, start);
        let at = this.#slots[slot] ?? EMPTY;
        if (at === EMPTY) {
            at = this.#size;
            this.#size += 1;
            this.#slots[slot] = at;
            for (let word = 0; word < WORDS; word += 1)
                this.#digests[at * WORDS + word] = bytes.readUInt32LE(start + word * 4);
        }
        this.#revisions[at] = revision;
        this.#parts[at] = part;
        this.#rows[at] = row;
    }

    /** Slot of a digest, or the empty one where it belongs. */
    #findSlot(bytes: Buffer, start: number): number {
        const mask = this.#slots.length - 1;
        for (let slot = bytes.readUInt32LE(start) & mask; ; slot = (slot + 1) & mask) {
            const at = this.#slots[slot] ?? EMPTY;
            if (at === EMPTY || this.#isAt(at, bytes, start)) return slot;
        }
    }

    #isAt(at: number, bytes: Buffer, start: number): boolean {
        for (let word = 0; word < WORDS; word += 1)
            if (this.#digests[at * WORDS + word] !== bytes.readUInt32LE(start + word * 4)) return false;
        return true;
    }

    #grow(): void {
        const slots = new Int32Array(this.#slots.length * 2).fill(EMPTY);
        const mask = slots.length - 1;
        for (let at = 0; at < this.#size; at += 1) {
            let slot = (this.#digests[at * WORDS] ?? 0) & mask;
            while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
            slots[slot] = at;
        }
        this.#slots = slots;
        const capacity = slots.length / 2;
        this.#digests = copyInto(new Uint32Array(capacity * WORDS), this.#digests);
        this.#revisions = copyInto(new Float64Array(capacity), this.#revisions);
        this.#parts = copyInto(new Uint32Array(capacity), this.#parts);
        this.#rows = copyInto(new Uint32Array(capacity), this.#rows);
    }
}

function copyInto<T extends Uint32Array | Float64Array>(target: T, source: T): T {
    target.set(source);
    return target;
}

/** The keys of one part in the order of its rows. */
export class PartKeys {
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
    pushAll(other: PartKeys, dropped: ReadonlySet<number>): void {
        for (let row = 0; row < other.count; row += 1)
            if (!dropped.has(row)) this.push(other.digest(row), other.revision(row));
    }

    push(digest: Buffer, revision: number): void {
        const at = this.#count * KEY_ENTRY_BYTES;
        if (at + KEY_ENTRY_BYTES > this.#bytes.length) {
            const larger = Buffer.alloc(Math.max(64 * KEY_ENTRY_BYTES, this.#bytes.length * 2));
            this.#bytes.copy(larger);
            this.#bytes = larger;
        }
        digest.copy(this.#bytes, at);
        this.#bytes.writeDoubleLE(revision, at + DIGEST_BYTES);
        this.#count += 1;
    }
}

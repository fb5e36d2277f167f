import { DIGEST_BYTES, KEY_ENTRY_BYTES, type RecordKeys } from '../record/record-keys.js';

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

    /** @param start where the digest begins in `bytes` */
    get(bytes: Buffer, start = 0): KeyEntry | null {
        const at = this.#slots[this.#findSlot(bytes, start)] ?? EMPTY;
        if (at === EMPTY) return null;
        return { revision: this.#revisions[at] ?? 0, part: this.#parts[at] ?? 0, row: this.#rows[at] ?? 0 };
    }

    set(bytes: Buffer, entry: KeyEntry, start = 0): void {
        this.#set(bytes, start, entry.revision, entry.part, entry.row);
    }

    /** Every row of a part. */
    setPart({ bytes, count }: RecordKeys, part: number): void {
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
                this.#digests[at * WORDS + word] = wordAt(bytes, start + word * 4);
        }
        this.#revisions[at] = revision;
        this.#parts[at] = part;
        this.#rows[at] = row;
    }

    /** Slot of a digest, or the empty one where it belongs. */
    #findSlot(bytes: Buffer, start: number): number {
        const mask = this.#slots.length - 1;
        for (let slot = wordAt(bytes, start) & mask; ; slot = (slot + 1) & mask) {
            const at = this.#slots[slot] ?? EMPTY;
            if (at === EMPTY || this.#isAt(at, bytes, start)) return slot;
        }
    }

    #isAt(at: number, bytes: Buffer, start: number): boolean {
        for (let word = 0; word < WORDS; word += 1)
            if (this.#digests[at * WORDS + word] !== wordAt(bytes, start + word * 4)) return false;
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

/** As `readUInt32LE`, whose checks take longer than the rest of a search. */
const wordAt = (bytes: Buffer, at: number): number =>
    ((bytes[at] ?? 0) |
        ((bytes[at + 1] ?? 0) << 8) |
        ((bytes[at + 2] ?? 0) << 16) |
        ((bytes[at + 3] ?? 0) << 24)) >>>
    0;

function copyInto<T extends Uint32Array | Float64Array>(target: T, source: T): T {
    target.set(source);
    return target;
}

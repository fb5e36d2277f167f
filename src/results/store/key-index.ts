import { DIGEST_WORDS, KEY_ENTRY_WORDS, type RecordKeys } from '../record/record-keys.js';

/** Part number of a retired key. */
export const RETIRED = 0xffff_ffff;

/** Location of a record. */
export interface KeyEntry {
    readonly revision: number;
    /** Number of the part, or RETIRED. */
    readonly part: number;
    /** Row in that part, from 0. */
    readonly row: number;
}

const EMPTY = -1;

/**
 * Maps the digest of a key to its record. Takes about 50 bytes per key, in typed arrays; a Map of a million strings would take
 * five times as much. A digest is passed as an array of words and the position of its first word.
 */
export class KeyIndex {
    #size = 0;
    #slots = new Int32Array(1024).fill(EMPTY);
    #digests = new Uint32Array(512 * DIGEST_WORDS);
    #revisions = new Float64Array(512);
    #parts = new Uint32Array(512);
    #rows = new Uint32Array(512);

    get size(): number {
        return this.#size;
    }

    get(words: Uint32Array, start = 0): KeyEntry | null {
        return this.getAt(this.find(words, start));
    }

    set(words: Uint32Array, start: number, revision: number, part: number, row: number): void {
        this.setAt(this.find(words, start), words, start, { revision, part, row });
    }

    /** Slot of a digest, or the empty one where it belongs. Valid for `getAt` and `setAt` until another key is set. */
    find(words: Uint32Array, start: number): number {
        if (this.#size * 2 >= this.#slots.length) this.#grow(this.#size + 1);
        return this.#findSlot(words, start);
    }

    getAt(slot: number): KeyEntry | null {
        const at = this.#slots[slot] ?? EMPTY;
        if (at === EMPTY) return null;
        return { revision: this.#revisions[at] ?? 0, part: this.#parts[at] ?? 0, row: this.#rows[at] ?? 0 };
    }

    /** @param slot of this digest */
    setAt(slot: number, words: Uint32Array, start: number, { revision, part, row }: KeyEntry): void {
        let at = this.#slots[slot] ?? EMPTY;
        if (at === EMPTY) {
            at = this.#size;
            this.#size += 1;
            this.#slots[slot] = at;
            for (let word = 0; word < DIGEST_WORDS; word += 1)
                this.#digests[at * DIGEST_WORDS + word] = words[start + word] ?? 0;
        }
        this.#revisions[at] = revision;
        this.#parts[at] = part;
        this.#rows[at] = row;
    }

    /** Sets the keys of all rows of a part. */
    setPart(keys: RecordKeys, part: number): void {
        const { words, count } = keys;
        if ((this.#size + count) * 2 > this.#slots.length) this.#grow(this.#size + count);
        for (let row = 0; row < count; row += 1)
            this.set(words, row * KEY_ENTRY_WORDS, keys.revision(row), part, row);
    }

    /** Slot of a digest, or the empty one where it belongs. */
    #findSlot(words: Uint32Array, start: number): number {
        const mask = this.#slots.length - 1;
        const first = words[start] ?? 0;
        for (let slot = first & mask; ; slot = (slot + 1) & mask) {
            const at = this.#slots[slot] ?? EMPTY;
            if (at === EMPTY) return slot;
            if (this.#digests[at * DIGEST_WORDS] === first && this.#isAt(at, words, start)) return slot;
        }
    }

    #isAt(at: number, words: Uint32Array, start: number): boolean {
        for (let word = 1; word < DIGEST_WORDS; word += 1)
            if (this.#digests[at * DIGEST_WORDS + word] !== words[start + word]) return false;
        return true;
    }

    /** Makes room for this many keys. */
    #grow(keys: number): void {
        let length = this.#slots.length * 2;
        while (length < keys * 2) length *= 2;
        const slots = new Int32Array(length).fill(EMPTY);
        const mask = length - 1;
        for (let at = 0; at < this.#size; at += 1) {
            let slot = (this.#digests[at * DIGEST_WORDS] ?? 0) & mask;
            while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
            slots[slot] = at;
        }
        this.#slots = slots;
        const capacity = length / 2;
        this.#digests = copyInto(new Uint32Array(capacity * DIGEST_WORDS), this.#digests);
        this.#revisions = copyInto(new Float64Array(capacity), this.#revisions);
        this.#parts = copyInto(new Uint32Array(capacity), this.#parts);
        this.#rows = copyInto(new Uint32Array(capacity), this.#rows);
    }
}

function copyInto<T extends Uint32Array | Float64Array>(target: T, source: T): T {
    target.set(source);
    return target;
}

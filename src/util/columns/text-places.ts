/** Where the texts are kept that `TextPlaces` finds. */
export interface PlacedTexts {
    isAt(place: number, text: string): boolean;
}

const EMPTY = 0;
/** Up to this many, the runtime's own table is faster than ours, and still fits into memory. */
const MAX_IN_MAP = 262_144;

/**
 * Finds the place of a text: a hash table of numbers beside the texts, which are kept elsewhere. Deleting a place marks its slot
 * as taken out, so that later slots are still found.
 */
export class TextPlaces {
    readonly #texts: PlacedTexts;
    /** Place plus one of each slot; 0: free, -1: taken out. */
    #places = new Int32Array(0);
    #hashes = new Int32Array(0);
    /** Slots that are not free. */
    #used = 0;
    #size = 0;

    /** @param most texts that the runtime's own table takes */
    constructor(texts: PlacedTexts, most = MAX_IN_MAP) {
        this.#texts = texts;
        this.#most = most;
    }

    readonly #most: number;
    /** The first places: the runtime's own table is fast at once, ours only when compiled. */
    #few: Map<string, number> | null = new Map();

    /** Number of texts in the table. */
    get size(): number {
        return this.#few?.size ?? this.#size;
    }

    /** The place of a text; -1 if it is not in the table. */
    find(text: string): number {
        if (this.#few !== null) return this.#few.get(text) ?? -1;
        const slot = this.#findSlot(text, hashText(text));
        return slot === -1 ? -1 : (this.#places[slot] ?? EMPTY) - 1;
    }

    /** Adds the place of a text that is not in the table yet. */
    add(text: string, place: number): void {
        this.findOrAdd(text, place);
    }

    /** The place of a text that is already in the table; if it is not, adds it at `place` and returns -1. */
    findOrAdd(text: string, place: number): number {
        if (this.#few !== null) {
            const known = this.#few.get(text);
            if (known !== undefined) return known;
            if (this.#few.size < this.#most) {
                this.#few.set(text, place);
                return -1;
            }
            this.#spread(this.#few);
        }
        const hash = hashText(text);
        const slot = this.#findSlot(text, hash);
        if (slot !== -1) return (this.#places[slot] ?? EMPTY) - 1;
        if ((this.#used + 1) * 2 > this.#places.length) this.#rehash();
        this.#put(hash, place);
        this.#size += 1;
        return -1;
    }

    /** @returns false if it was not there */
    delete(text: string): boolean {
        if (this.#few !== null) return this.#few.delete(text);
        const slot = this.#findSlot(text, hashText(text));
        if (slot === -1) return false;
        this.#places[slot] = -1;
        this.#size -= 1;
        return true;
    }

    #spread(few: ReadonlyMap<string, number>): void {
        this.#few = null;
        const slots = 2 ** Math.ceil(Math.log2(4 * (few.size + 1)));
        this.#places = new Int32Array(slots);
        this.#hashes = new Int32Array(slots);
        for (const [text, place] of few) this.#put(hashText(text), place);
        this.#size = few.size;
    }

    #findSlot(text: string, hash: number): number {
        const mask = this.#places.length - 1;
        for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
            const taken = this.#places[slot] ?? EMPTY;
            if (taken === EMPTY) return -1;
            if (taken > 0 && this.#hashes[slot] === hash && this.#texts.isAt(taken - 1, text)) return slot;
        }
    }

    #put(hash: number, place: number): void {
        const mask = this.#places.length - 1;
        let slot = hash & mask;
        while (this.#places[slot] !== EMPTY) slot = (slot + 1) & mask;
        this.#places[slot] = place + 1;
        this.#hashes[slot] = hash;
        this.#used += 1;
    }

    #rehash(): void {
        const [places, hashes] = [this.#places, this.#hashes];
        const length = (this.#size + 1) * 4 > places.length ? places.length * 2 : places.length;
        this.#places = new Int32Array(length);
        this.#hashes = new Int32Array(length);
        this.#used = 0;
        for (const [slot, taken] of places.entries()) if (taken > 0) this.#put(hashes[slot] ?? 0, taken - 1);
    }
}

/** Different in every process: ids chosen to collide in one do not collide in another. */
const SEED = Math.floor(Math.random() * 2 ** 32);

/** 32 bits: FNV-1a over the code units, and MurmurHash3's finalizer, since a mask uses only the low bits. */
export function hashText(text: string, seed = SEED): number {
    let hash = 0x811c9dc5 ^ seed;
    for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) | 0;
}

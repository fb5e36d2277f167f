/** Values of one array, as a power of two; the first array starts small and grows to this. */
const CHUNK_BITS = 16;
const CHUNK = 1 << CHUNK_BITS;
const MIN_CHUNK = 16;

type Chunk = Uint32Array | Float64Array;

/**
 * Numbers of many samples, by place: four bytes each while they are integers below 2^32, else eight; nothing per place while all
 * are the same. The garbage collector has nothing to visit, however many there are.
 */
export class NumberColumn {
    #length = 0;
    /** The value of all places while there are no chunks. */
    #only = 0;
    #chunks: Chunk[] | null = null;

    /** A column of these values, faster than adding each. */
    static of(values: readonly number[]): NumberColumn {
        const column = new NumberColumn();
        column.#chunks = [];
        for (let from = 0; from < values.length; from += CHUNK)
            column.#chunks.push(Float64Array.from(values.slice(from, from + CHUNK)));
        column.#length = values.length;
        return column;
    }

    get length(): number {
        return this.#length;
    }

    push(value: number): void {
        const place = this.#length;
        this.#length = place + 1;
        if (this.#chunks === null) {
            if (place === 0) this.#only = value;
            if (value === this.#only) return;
            this.#spread(place);
        }
        this.#write(place, value);
    }

    /** @param place below `length` */
    set(place: number, value: number): void {
        if (this.#chunks === null) {
            if (value === this.#only) return;
            this.#spread(this.#length);
        }
        this.#write(place, value);
    }

    /** The value at a place below `length`. */
    at(place: number): number {
        if (this.#chunks === null) return this.#only;
        return this.#chunks[place >>> CHUNK_BITS]?.[place & (CHUNK - 1)] ?? 0;
    }

    /** Gives the first `count` places values of their own. */
    #spread(count: number): void {
        this.#chunks = [];
        for (let place = 0; place < count; place += 1) this.#write(place, this.#only);
    }

    #write(place: number, value: number): void {
        const chunks = this.#chunks ?? [];
        const number = place >>> CHUNK_BITS;
        const offset = place & (CHUNK - 1);
        let chunk = chunks[number];
        if (chunk === undefined || offset >= chunk.length) {
            chunk = enlarge(chunk, number === 0 ? Math.min(CHUNK, Math.max(MIN_CHUNK, 2 * offset)) : CHUNK);
            chunks[number] = chunk;
        }
        if (chunk instanceof Uint32Array && value !== value >>> 0) {
            chunk = Float64Array.from(chunk);
            chunks[number] = chunk;
        }
        chunk[offset] = value;
    }
}

function enlarge(chunk: Chunk | undefined, length: number): Chunk {
    if (chunk === undefined) return new Uint32Array(length);
    const larger = chunk instanceof Uint32Array ? new Uint32Array(length) : new Float64Array(length);
    larger.set(chunk);
    return larger;
}

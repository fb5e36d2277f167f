import { gzipSync } from 'node:zlib';
import type { EntryDetail } from '../../model/page-data.js';
import type { DetailPlace } from './column-builder.js';

/** Characters of JSON per chunk: small enough to open in a few milliseconds, large enough for gzip to compress well. */
const CHUNK_LENGTH = 256 * 1024;
const NOWHERE: DetailPlace = { chunk: 0, slot: 0 };

/**
 * Packs the long parts of entries into compressed chunks, up to a total size. Those that people look at first (unexpected
 * verdicts and failures) may use all of it; the others, in the order they arrive, only half of it.
 */
export class DetailChunks {
    readonly #budget: number;
    readonly #chunks: Buffer[] = [];
    readonly #urgent = new OpenChunk();
    readonly #others = new OpenChunk();
    #bytes = 0;
    #bytesOfOthers = 0;
    #leftOut = 0;
    #reserved = 0;

    /** @param budget compressed size in bytes */
    constructor(budget: number) {
        this.#budget = budget;
    }

    get leftOut(): number {
        return this.#leftOut;
    }

    /** Whether there is room for another one. */
    takes(isUrgent: boolean): boolean {
        if (this.#bytes >= this.#budget) return false;
        return isUrgent || this.#bytesOfOthers < this.#budget / 2;
    }

    /** @returns its position */
    add(detail: EntryDetail, isUrgent: boolean): DetailPlace {
        if (!this.takes(isUrgent)) {
            this.#leftOut += 1;
            return NOWHERE;
        }
        const open = isUrgent ? this.#urgent : this.#others;
        if (open.number === 0) open.number = this.#reserve();
        const slot = open.add(JSON.stringify(detail));
        const place = { chunk: open.number, slot };
        if (open.length >= CHUNK_LENGTH) this.#close(open);
        return place;
    }

    /** The gzipped chunks, in order. */
    finish(): readonly Buffer[] {
        this.#close(this.#urgent);
        this.#close(this.#others);
        return this.#chunks;
    }

    #reserve(): number {
        this.#reserved += 1;
        return this.#reserved;
    }

    #close(open: OpenChunk): void {
        if (open.number === 0) return;
        const bytes = gzipSync(open.take());
        this.#chunks[open.number - 1] = bytes;
        this.#bytes += bytes.length;
        if (open === this.#others) this.#bytesOfOthers += bytes.length;
        open.number = 0;
    }
}

class OpenChunk {
    /** From 1; 0: empty. */
    number = 0;
    length = 0;
    #parts: string[] = [];

    add(json: string): number {
        this.#parts.push(json);
        this.length += json.length;
        return this.#parts.length - 1;
    }

    take(): string {
        const text = `[${this.#parts.join(',')}]`;
        this.#parts = [];
        this.length = 0;
        return text;
    }
}

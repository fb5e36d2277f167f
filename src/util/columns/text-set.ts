import { TextArray } from './text-array.js';
import { TextPlaces } from './text-places.js';

/** A set of many texts, in insertion order: like `Set`, with a quarter of its memory. */
export class TextSet implements Iterable<string> {
    readonly #texts = new TextArray();
    readonly #places: TextPlaces;
    /** How many of the column's texts were taken out. */
    #gone = 0;

    /** @param most texts that the runtime's own table takes; see `TextPlaces` */
    constructor(texts: Iterable<string> = [], most?: number) {
        this.#places = new TextPlaces(this.#texts, most);
        for (const text of texts) this.add(text);
    }

    get size(): number {
        return this.#places.size;
    }

    has(text: string): boolean {
        return this.#places.find(text) !== -1;
    }

    add(text: string): void {
        if (this.#places.findOrAdd(text, this.#texts.length) === -1) this.#texts.push(text);
    }

    delete(text: string): void {
        if (this.#places.delete(text)) this.#gone += 1;
    }

    *[Symbol.iterator](): Generator<string> {
        for (let place = 0; place < this.#texts.length; place += 1) {
            const text = this.#texts.at(place);
            if (this.#gone === 0 || this.#places.find(text) === place) yield text;
        }
    }
}

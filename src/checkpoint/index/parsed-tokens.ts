import { isJsonObject, type Json } from '../../model/json.js';
import { ValueColumn } from '../../model/value-column.js';
import { DigitsColumn } from '../../util/columns/digits-column.js';
import { NumberColumn } from '../../util/columns/number-column.js';
import { TextArray } from '../../util/columns/text-array.js';
import { isCount, isText } from './index-content.js';
import type { IndexTokens } from './index-tokens.js';

/**
 * A small index, parsed as a whole: the runtime's parser is fast from the start, while ours only becomes fast once it is
 * compiled, which would take longer than the whole start.
 */
export class ParsedTokens implements IndexTokens {
    #next: Json | undefined;

    constructor(json: Json) {
        this.#next = json;
    }

    members(read: (key: string) => void): void {
        const object = this.value();
        if (!isJsonObject(object)) throw new SyntaxError('expected an object');
        for (const [key, value] of Object.entries(object)) {
            this.#next = value;
            read(key);
        }
    }

    items(read: (position: number) => void): void {
        for (const [position, item] of this.#list().entries()) {
            this.#next = item;
            read(position);
        }
    }

    get isString(): boolean {
        return typeof this.#next === 'string';
    }

    string(): string {
        const value = this.value();
        if (!isText(value)) throw new SyntaxError('expected text');
        return value;
    }

    count(): number {
        const value = this.value();
        if (!isCount(value)) throw new SyntaxError('expected a count');
        return value;
    }

    value(): Json {
        const value = this.#next;
        this.#next = undefined;
        if (value === undefined) throw new SyntaxError('expected a value');
        return value;
    }

    texts(): TextArray {
        return new TextArray(this.#listOf(isText));
    }

    counts(): NumberColumn {
        return NumberColumn.of(this.#listOf(isCount));
    }

    values(): ValueColumn {
        return ValueColumn.of(this.#list());
    }

    digits(): { readonly column: DigitsColumn; readonly length: number } {
        const texts = this.#listOf(isText);
        return { column: new DigitsColumn(texts), length: texts.length };
    }

    finish(): void {
        if (this.#next !== undefined) throw new SyntaxError('expected nothing more');
    }

    #list(): readonly Json[] {
        const list = this.value();
        if (!Array.isArray(list)) throw new SyntaxError('expected a list');
        return list as readonly Json[];
    }

    #listOf<T extends Json>(isItem: (item: unknown) => item is T): readonly T[] {
        const list = this.#list();
        if (!list.every(isItem)) throw new SyntaxError('expected a list of one kind');
        return list;
    }
}

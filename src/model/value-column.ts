import { NumberColumn } from '../util/columns/number-column.js';
import type { Json } from './json.js';

/** JSON values of many samples under one key: a single value while all are the same, and numbers as a column of numbers. */
export class ValueColumn {
    #length = 0;
    /** The value of all places while they are the same. */
    #only: Json = null;
    #numbers: NumberColumn | null = null;
    /** Values that are not numbers. */
    readonly #others = new Map<number, Json>();

    /** Values that were given all at once. */
    #given: readonly Json[] | null = null;

    /** A column of these values, to which none will be added. */
    static of(values: readonly Json[]): ValueColumn {
        const column = new ValueColumn(values[0] ?? null, values.length);
        if (values.length > 1) column.#given = values;
        return column;
    }

    /** @param value the value of the first `length` places */
    constructor(value: Json = null, length = 0) {
        this.#only = value;
        this.#length = length;
    }

    get length(): number {
        return this.#length;
    }

    /** Whether all places have the same value. */
    get isConstant(): boolean {
        return this.#numbers === null && this.#given === null;
    }

    /** Adds a value at `place`, filling earlier places without a value with null. */
    pushAt(place: number, value: Json): void {
        while (this.#length < place) this.#push(null);
        this.#push(value);
    }

    /** Null if nothing was added there. */
    at(place: number): Json {
        if (place >= this.#length) return null;
        if (this.#given !== null) return this.#given[place] ?? null;
        if (this.#numbers === null) return this.#only;
        const other = this.#others.get(place);
        return other === undefined ? this.#numbers.at(place) : other;
    }

    #push(value: Json): void {
        const place = this.#length;
        this.#length = place + 1;
        if (this.#numbers === null) {
            if (place === 0) this.#only = value;
            if (isSame(value, this.#only)) return;
            this.#numbers = new NumberColumn();
            for (let before = 0; before < place; before += 1) this.#add(before, this.#only);
        }
        this.#add(place, value);
    }

    #add(place: number, value: Json): void {
        const isNumber = typeof value === 'number';
        this.#numbers?.push(isNumber ? value : 0);
        if (!isNumber) this.#others.set(place, value);
    }
}

const isSame = (a: Json, b: Json): boolean =>
    a === b || (typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b));

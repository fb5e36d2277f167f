import {
    type ExactJson,
    hasNumberTexts,
    isExactArray,
    isExactObject,
    NumberText,
    parseExactPythonJson,
    printExactJson,
} from '../model/exact-json.js';
import { isJsonObject, type Json, type JsonObject } from '../model/json.js';
import { UserError } from '../util/user-error.js';
import { makeDatasetError } from './dataset-error.js';

/**
 * A value of a dataset row and its location. It is read with a method for the expected type, and reports `problems.jsonl:12:
 * tests[3].input: expected text, got a number` if the value has another type. Only own properties are visible, so a key such as
 * `__proto__` is data like any other.
 */
export class Field {
    private constructor(
        readonly value: Json | undefined,
        /** `problems.jsonl:12` */
        readonly place: string,
        /** `tests[3].input`; empty for the row itself. */
        readonly path: string,
        private readonly written: Written,
    ) {}

    /** @param text the JSON that `row` was parsed from, for numbers that a double cannot hold; null if it was not JSON text */
    static of(row: JsonObject, place: string, text: string | null): Field {
        return new Field(row, place, '', new WrittenText(row, text));
    }

    /**
     * A value that was decoded from this field (JSON in a string), under the same name.
     * @param text as for `of`; may contain Python's `NaN` and `Infinity`
     */
    holding(value: Json, text: string | null): Field {
        return new Field(value, this.place, this.path, new WrittenText(value, text));
    }

    get(key: string): Field {
        const value =
            isJsonObject(this.value) && Object.hasOwn(this.value, key) ? this.value[key] : undefined;
        const path = this.path === '' ? key : `${this.path}.${key}`;
        return new Field(value, this.place, path, new WrittenMember(this.written, key));
    }

    /** True unless the value is missing or null. */
    get present(): boolean {
        return this.value !== undefined && this.value !== null;
    }

    string(): string {
        return typeof this.value === 'string' ? this.value : this.fail('text');
    }

    /** Null if it is missing. */
    optionalString(): string | null {
        return this.present ? this.string() : null;
    }

    /** A finite number. Decimals in quotes are accepted, since some exports write 64-bit numbers that way. */
    number(): number {
        const { value } = this;
        const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
        return typeof number === 'number' && Number.isFinite(number) ? number : this.fail('a number');
    }

    /** A number exactly as it was written (`9007199254740993`, `1.0`); null if the value is not a number. */
    numberText(): string | null {
        if (typeof this.value !== 'number') return null;
        const exact = this.written.read();
        return exact instanceof NumberText ? exact.text : String(this.value);
    }

    /** The value as JSON with its numbers as they were written; null if `JSON.stringify` gives the same. */
    exactText(): string | null {
        const exact = this.written.read();
        return hasNumberTexts(exact) ? printExactJson(exact) : null;
    }

    list(): Field[] {
        if (!Array.isArray(this.value)) return this.fail('a list');
        return (this.value as readonly Json[]).map(
            (value, i) =>
                new Field(value, this.place, `${this.path}[${i}]`, new WrittenMember(this.written, i)),
        );
    }

    /** Empty if it is missing. */
    optionalList(): Field[] {
        return this.present ? this.list() : [];
    }

    strings(): readonly string[] {
        return this.list().map((item) => item.string());
    }

    object(): JsonObject {
        return isJsonObject(this.value) ? this.value : this.fail('an object');
    }

    /** Its entries, in order. */
    entries(): (readonly [string, Field])[] {
        return Object.keys(this.object()).map((key) => [key, this.get(key)] as const);
    }

    /** @throws UserError, always */
    fail(expected: string): never {
        throw this.error(`expected ${expected}, got ${describe(this.value)}`);
    }

    error(message: string): UserError {
        return makeDatasetError(`${this.place}: ${this.path === '' ? '' : `${this.path}: `}${message}`);
    }
}

/** How a value was written. Computed only if a number's exact text matters, since it takes a second parse. */
interface Written {
    read(): ExactJson;
}

class WrittenText implements Written {
    #exact: ExactJson | undefined;

    constructor(
        private readonly value: Json,
        private readonly text: string | null,
    ) {}

    read(): ExactJson {
        this.#exact ??= this.text === null ? this.value : parseExactPythonJson(this.text);
        return this.#exact;
    }
}

class WrittenMember implements Written {
    constructor(
        private readonly owner: Written,
        private readonly key: string | number,
    ) {}

    read(): ExactJson {
        const owner = this.owner.read();
        const { key } = this;
        if (isExactArray(owner)) return typeof key === 'number' ? (owner[key] ?? null) : null;
        return isExactObject(owner) && Object.hasOwn(owner, key) ? (owner[key] ?? null) : null;
    }
}

function describe(value: Json | undefined): string {
    if (value === undefined) return 'nothing';
    if (value === null) return 'null';
    if (Array.isArray(value)) return 'a list';
    if (typeof value === 'string') return value.length <= 40 ? `the text ${JSON.stringify(value)}` : 'a text';
    if (typeof value === 'number') return `the number ${value}`;
    return typeof value === 'boolean' ? `${value}` : 'an object';
}

import { type FieldType, KEY_FIELDS, type RecordField, RECORD_FIELDS } from './fields.js';
import { PLAIN_TIME } from './record.js';

/*
 * Recognises the lines that `recordLine` writes without parsing them, which takes a fifth of the time. A pattern is made of the
 * schema: the fields in their order, and of each value only the spellings that need no conversion. It may refuse a line that is
 * good, since whoever asks then parses it; it never takes one that is not.
 */

/** No escapes but those that JSON.stringify writes for characters that people use. */
const TEXT = '"[^"\\\\\\x00-\\x1f]*(?:\\\\["\\\\bfnrt][^"\\\\\\x00-\\x1f]*)*"';

/** Digits that every double and every safe integer has; no exponents, no `-0`. */
const SPELLINGS: Readonly<Record<FieldType, string>> = {
    text: TEXT,
    json: TEXT,
    integer: '(?:0|-?[1-9]\\d{0,14})',
    number: '(?:0|-?(?:0|[1-9]\\d{0,14})\\.\\d{0,16}[1-9]|-?[1-9]\\d{0,14})',
    boolean: '(?:true|false)',
    time: `"${PLAIN_TIME.source}"`,
    texts: `\\[(?:${TEXT}(?:,${TEXT})*)?\\]`,
};

/** A line that was recognised in a longer text. */
export interface MatchedLine {
    /** Of its key, for `hashKeyText`. */
    readonly key: string;
    readonly revision: number;
    /** Where the text goes on behind it. */
    readonly end: number;
}

/** Knows the fields that the records of one collection have, and looks for no others: most records have the same ones. */
export class RecordLineMatcher {
    #fields: readonly RecordField[] = RECORD_FIELDS.filter(({ nullable }) => !nullable);
    #names: readonly string[] = this.#fields.map(({ name }) => name);
    #pattern = compilePattern(this.#fields);

    /** Names of all fields that records had up to now. */
    get names(): readonly string[] {
        return this.#names;
    }

    /**
     * The record whose line stands at `start`. Null if there is none, or it has to be parsed to know.
     * @param text or the bytes of its UTF-8 as Latin-1: nothing outside of ASCII decides anything
     */
    match(text: string, start: number): MatchedLine | null {
        this.#pattern.lastIndex = start;
        const found = execute(this.#pattern, text);
        if (found === null) return null;
        const [, key = '', revision] = found;
        return { key, revision: Number(revision), end: this.#pattern.lastIndex };
    }

    /**
     * Learns from a record that had to be parsed.
     * @param names its keys
     */
    learn(names: readonly string[]): void {
        const known = new Set([...this.#names, ...names]);
        const fields = RECORD_FIELDS.filter(({ name }) => known.has(name));
        if (fields.length > this.#fields.length) {
            this.#fields = fields;
            this.#names = fields.map(({ name }) => name);
            this.#pattern = compilePattern(fields);
        }
    }
}

function compilePattern(fields: readonly RecordField[]): RegExp {
    const parts = fields.map(({ name, type, nullable }, at) => {
        const value = name === 'revision' ? `(${SPELLINGS[type]})` : SPELLINGS[type];
        const part = `"${name}":${value}`;
        const comma = at === 0 ? '' : ',';
        if (nullable) return `(?:${comma}${part})?`;
        // The fields of the key stand one behind the other.
        return `${comma}${name === KEY_FIELDS[0] ? '(' : ''}${part}${name === KEY_FIELDS.at(-1) ? ')' : ''}`;
    });
    return new RegExp(`\\{${parts.join('')}\\}`, 'y');
}

function execute(pattern: RegExp, text: string): RegExpExecArray | null {
    try {
        return pattern.exec(text);
    } catch (error) {
        // A text of millions of escapes takes more stack than there is.
        if (error instanceof RangeError) return null;
        throw error;
    }
}

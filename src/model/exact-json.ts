import { randomBytes } from 'node:crypto';
import { isJsonObject, type Json } from './json.js';

/*
 * JSON whose numbers keep the text they were written with. `JSON.parse` turns 9007199254740993 into ...992, 1e400 into Infinity
 * and 1.0 into 1; a 64-bit seed or id must reach the program that asked for it digit by digit. Node 20 has no reviver with source
 * text, so numbers that a double does not reproduce are put in quotes, behind a mark that no input can guess, before the text is
 * parsed.
 */

/** A number as it was written, if JavaScript would print its double differently. */
export class NumberText {
    constructor(readonly text: string) {}
}

/** Any JSON value. A plain `number` is one that JavaScript prints exactly as it was written. */
export type ExactJson =
    | null
    | boolean
    | number
    | string
    | NumberText
    | readonly ExactJson[]
    | { readonly [key: string]: ExactJson };

/**
 * Parses JSON without changing a number.
 * @throws SyntaxError as `JSON.parse` does
 */
export function parseExactJson(text: string): ExactJson {
    const value = JSON.parse(text) as Json;
    const marked = markNumbers(text);
    return marked === null ? value : parseMarked(marked);
}

/**
 * Parses JSON as Python's `json` module writes and reads it: with `NaN`, which becomes a number of that text, and with
 * `Infinity`, which becomes one that is too large for a double.
 * @throws SyntaxError as `JSON.parse` does
 */
export function parseExactPythonJson(text: string): ExactJson {
    if (!hasPythonNames(text)) return parseExactJson(text);
    JSON.parse(text.replace(PYTHON_NAMES, (part) => (part.startsWith('"') ? part : ' 0 ')));
    return parseMarked(markNumbers(text) ?? text);
}

/** The same with numbers as JavaScript reads them: each as its double, NaN and infinity included. */
export const parsePythonDoubles = (text: string): Json =>
    hasPythonNames(text) ? withDoubles(parseExactPythonJson(text)) : (JSON.parse(text) as Json);

function withDoubles(value: ExactJson): Json {
    if (value instanceof NumberText) return Number(value.text);
    if (isExactArray(value)) return value.map(withDoubles);
    if (!isExactObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withDoubles(item)]));
}

const hasPythonNames = (text: string): boolean => /NaN|Infinity/.test(text);
/** The text of the number that equals nothing, not even itself. */
export const NOT_A_NUMBER = 'NaN';
/** Strings are matched in order to skip them. */
const PYTHON_NAMES = /"[^"\\]*(?:\\.[^"\\]*)*"|NaN|-?Infinity/gs;
/** How JSON can write infinity: readers turn it into one. */
const INFINITE = '1e999';

const parseMarked = (marked: string): ExactJson =>
    JSON.parse(marked, (_key, item: unknown) =>
        typeof item === 'string' && item.startsWith(MARK) ? new NumberText(item.slice(MARK.length)) : item,
    ) as ExactJson;

/** JSON without spaces, each number as it was written. */
export function printExactJson(value: ExactJson): string {
    return printWith(value, (number) => (number instanceof NumberText ? number.text : String(number)));
}

/**
 * JSON with sorted keys and every number as its exact decimal: equal values give equal text, however they were written. Keys are
 * ordered by UTF-16 code units.
 */
export function canonicalizeExactJson(value: ExactJson): string {
    return printWith(
        value,
        (number) => toExactDecimal(number instanceof NumberText ? number.text : String(number)),
        true,
    );
}

/** Whether a number of the value is changed by a double: the text that JavaScript prints for it is another decimal value. */
export function losesNumbers(value: ExactJson): boolean {
    if (value instanceof NumberText) {
        const double = Number(value.text);
        return !Number.isFinite(double) || toExactDecimal(value.text) !== toExactDecimal(String(double));
    }
    if (isExactArray(value)) return value.some(losesNumbers);
    return isExactObject(value) && Object.values(value).some(losesNumbers);
}

/** Whether a number of the value was written differently from how JavaScript prints it (`1.0`, `1e400`). */
export function hasNumberTexts(value: ExactJson): boolean {
    if (value instanceof NumberText) return true;
    if (isExactArray(value)) return value.some(hasNumberTexts);
    return isExactObject(value) && Object.values(value).some(hasNumberTexts);
}

/** The value as ordinary JSON; a number that a double does not hold becomes text, as it was written. */
export function withNumbersAsText(value: ExactJson): Json {
    if (value instanceof NumberText) return losesNumbers(value) ? value.text : Number(value.text);
    if (isExactArray(value)) return value.map(withNumbersAsText);
    if (!isExactObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withNumbersAsText(item)]));
}

/**
 * The decimal value of a JSON number, normalised: `-12.50e3` gives `-125e2`, every zero `0`. Digits without leading or
 * trailing zeros, then `e` and the exponent of the last digit.
 */
export function toExactDecimal(text: string): string {
    const [, sign = '', whole = '', fraction = '', exponent = '0'] =
        /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
    const digits = whole + fraction;
    const end = measureWithoutZeros(digits);
    if (end === 0) return '0';
    const scale = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - end);
    return `${sign}${digits.slice(0, end).replace(/^0+/, '')}e${scale}`;
}

/** Without a regular expression: `/0+$/` would scan each run of zeros from each of its zeros. */
function measureWithoutZeros(digits: string): number {
    let end = digits.length;
    while (end > 0 && digits.charCodeAt(end - 1) === ZERO) end -= 1;
    return end;
}

export function isExactArray(value: ExactJson): value is readonly ExactJson[] {
    return Array.isArray(value);
}

export function isExactObject(value: ExactJson): value is { readonly [key: string]: ExactJson } {
    return isJsonObject(value) && !(value instanceof NumberText);
}

function printWith(value: ExactJson, print: (number: number | NumberText) => string, sorted = false): string {
    if (typeof value === 'number' || value instanceof NumberText) return print(value);
    if (isExactArray(value)) return `[${value.map((item) => printWith(item, print, sorted)).join(',')}]`;
    if (!isExactObject(value)) return JSON.stringify(value);
    const keys = Object.keys(value);
    const parts = (sorted ? keys.sort() : keys).map(
        (key) => `${JSON.stringify(key)}:${printWith(value[key] ?? null, print, sorted)}`,
    );
    return `{${parts.join(',')}}`;
}

/** Prefix of the strings that stand for numbers while a text is parsed. Random, so that no text can contain it. */
const MARK = `number-${randomBytes(16).toString('hex')}:`;

const [QUOTE, BACKSLASH, MINUS, ZERO, NINE] = [0x22, 0x5c, 0x2d, 0x30, 0x39];
const [UPPER_I, UPPER_N] = [0x49, 0x4e];
/** The names are Python's; JSON has none of them outside strings. */
const NUMBER = /NaN|-?(?:Infinity|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/y;

/** Valid JSON in which each number that JavaScript prints differently is a marked string; null if there is none. */
function markNumbers(text: string): string | null {
    const parts: string[] = [];
    let copied = 0;
    for (let at = 0; at < text.length; ) {
        const code = text.charCodeAt(at);
        if (code === QUOTE) {
            at = findEndOfString(text, at);
        } else if (isStartOfNumber(code)) {
            NUMBER.lastIndex = at;
            const number = NUMBER.exec(text)?.[0] ?? text.charAt(at);
            const written = number.replace('Infinity', INFINITE);
            if (String(Number(number)) !== written || number === NOT_A_NUMBER) {
                parts.push(text.slice(copied, at), `"${MARK}${written}"`);
                copied = at + number.length;
            }
            at += number.length;
        } else {
            at += 1;
        }
    }
    return parts.length === 0 ? null : parts.join('') + text.slice(copied);
}

const isStartOfNumber = (code: number): boolean =>
    code === MINUS || (code >= ZERO && code <= NINE) || code === UPPER_I || code === UPPER_N;

/** Position after the string that starts at `start`. */
function findEndOfString(text: string, start: number): number {
    for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
        let backslashes = 0;
        while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
        if (backslashes % 2 === 0) return end + 1;
    }
    return text.length;
}

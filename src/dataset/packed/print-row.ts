import { type ExactJson, NumberText, printExactJson } from '../../model/exact-json.js';

/**
 * A decoded row as one line of JSON. 64-bit integers keep all their digits, times become ISO strings, bytes base64, and numbers
 * that JSON lacks (NaN, infinities) null.
 */
export function printRow(row: Readonly<Record<string, unknown>>): string {
    return printExactJson(toJson(row));
}

function toJson(value: unknown): ExactJson {
    if (typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number') return Number.isFinite(value) ? value : null;
    if (typeof value === 'bigint') {
        return Number.isSafeInteger(Number(value)) ? Number(value) : new NumberText(String(value));
    }
    return typeof value === 'object' && value !== null ? objectToJson(value) : null;
}

function objectToJson(value: object): ExactJson {
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
    if (Array.isArray(value)) return value.map(toJson);
    if (ArrayBuffer.isView(value) && isIterable(value)) return Array.from(value, toJson);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]));
}

/** True for typed arrays, which are lists of numbers, but not for DataView. */
const isIterable = (value: object): value is Iterable<unknown> => Symbol.iterator in value;

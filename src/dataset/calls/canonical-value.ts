import {
    type ExactJson,
    isExactArray,
    isExactObject,
    NOT_A_NUMBER,
    NumberText,
    parseExactPythonJson,
} from '../../model/exact-json.js';

/*
 * Text forms of Python values that are equal exactly if Python considers the values equal: 1, 1.0 and True are equal, a tuple and
 * a list are not. The harness prints a function's return value in this form, and this file formats the expected value, which is
 * JSON, the same way.
 */

/** How a called function's return value is compared. */
export type CallRule = 'apps' | 'livecodebench';

/**
 * The lines that a function's return value may print as, in the form of the harness, to be accepted.
 *
 * Source: `grade_call_based` of LiveCodeBench compares with `==`. The graders of APPS and TACO also accept the first item of an
 * expected list, read a map's keys as integers, and compare a list of tuples as a list of lists.
 * @param json the expected value
 * @throws SyntaxError if it is not JSON
 */
export function makeExpectedLines(json: string, rule: CallRule): string {
    const value = parseExactPythonJson(json);
    if (rule === 'livecodebench') return `r:${formatWhole(value)}\n`;
    const map = formatIntegerMap(isExactArray(value) ? (value[0] ?? null) : value);
    const first = map ?? (isExactArray(value) && value[0] !== undefined ? formatWhole(value[0]) : null);
    const whole = map === null ? formatWhole(value) : `l[${map}]`;
    return first === null ? `r:${whole}\n` : `r:${whole}\nr:${first}\nc:${first}\n`;
}

/**
 * JSON has no integer keys, so the graders of APPS convert a map's keys to integers if all of them can be; null for anything
 * else.
 */
function formatIntegerMap(value: ExactJson): string | null {
    if (!isExactObject(value) || !Object.keys(value).every((key) => /^\s*[+-]?\d+\s*$/.test(key)))
        return null;
    return mapText(Object.entries(value).map(([key, item]) => [BigInt(key.trim()).toString(), item]));
}

/** NaN equals nothing, so no line of the harness may match it. */
const formatWhole = (value: ExactJson): string =>
    value instanceof NumberText && value.text === NOT_A_NUMBER ? 'nothing' : formatCanonicalText(value);

function formatCanonicalText(value: ExactJson): string {
    if (value === null) return 'n';
    if (typeof value === 'boolean') return value ? '1' : '0';
    if (typeof value === 'number') return formatNumberText(String(value));
    if (value instanceof NumberText) return formatNumberText(value.text);
    if (typeof value === 'string') return formatStringText(value);
    if (isExactArray(value)) return `l[${value.map(formatCanonicalText).join(',')}]`;
    if (!isExactObject(value)) return 'n';
    return mapText(Object.entries(value).map(([key, item]) => [formatStringText(key), item]));
}

const mapText = (entries: readonly (readonly [key: string, value: ExactJson])[]): string =>
    `d{${entries
        .map(([key, value]) => `${key}:${formatCanonicalText(value)}`)
        .sort()
        .join(',')}}`;

/** Integers, and floats with an integer value, as digits; other floats as their eight bytes. */
function formatNumberText(text: string): string {
    if (text === NOT_A_NUMBER) return SAME_NAN;
    if (/^-?\d+$/.test(text)) return BigInt(text).toString();
    const value = Number(text);
    if (Number.isInteger(value)) return BigInt(value).toString();
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(value);
    return `f${bytes.toString('hex')}`;
}

/**
 * The NaN that Python reads from JSON, a single object. Python considers two lists equal if they hold the same object at the same
 * place, even one that does not equal itself, so a function may return an argument that holds NaN.
 */
const SAME_NAN = 'fnan';

/** As Python's `json.dumps` writes it, in ASCII. */
const formatStringText = (text: string): string =>
    `s${JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}`;

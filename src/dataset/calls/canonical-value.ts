import {
    type ExactJson,
    isExactArray,
    isExactObject,
    NOT_A_NUMBER,
    NumberText,
    parseExactPythonJson,
} from '../../model/exact-json.js';

/*
 * Values of Python as text that is the same just where Python calls two values equal: 1, 1.0 and True are equal, a tuple is
 * not a list. The harness prints what a function returned so; here the expected value, which is JSON, is written the same way.
 */

/** How a called function's value is compared. */
export type CallRule = 'apps' | 'livecodebench';

/**
 * Lines of which a function's value must be one, in the form of the harness.
 *
 * Source: `grade_call_based` of LiveCodeBench compares with `==`. The graders of APPS and TACO also take the first item of a
 * list that is expected, read a map's keys as integers, and compare a list of tuples with it as a list of lists.
 * @param json the expected value
 * @throws SyntaxError for what is not JSON
 */
export function makeExpectedLines(json: string, rule: CallRule): string {
    const value = parseExactPythonJson(json);
    if (rule === 'livecodebench') return `r:${formatWhole(value)}\n`;
    const map = formatIntegerMap(isExactArray(value) ? (value[0] ?? null) : value);
    const first = map ?? (isExactArray(value) && value[0] !== undefined ? formatWhole(value[0]) : null);
    const whole = map === null ? formatWhole(value) : `l[${map}]`;
    return first === null ? `r:${whole}\n` : `r:${whole}\nr:${first}\nc:${first}\n`;
}

/** JSON has no maps by integers: the graders of APPS take a map for one where all keys can be; null for anything else. */
function formatIntegerMap(value: ExactJson): string | null {
    if (!isExactObject(value) || !Object.keys(value).every((key) => /^\s*[+-]?\d+\s*$/.test(key)))
        return null;
    return mapText(Object.entries(value).map(([key, item]) => [BigInt(key.trim()).toString(), item]));
}

/** NaN equals nothing, so that no line of the harness may be it. */
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

/** Integers, and floats that are some, by their digits; other floats by their eight bytes. */
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
 * The NaN that Python reads from JSON, which is one object. Python takes two lists for equal if they hold the same object at the
 * same place, whatever that equals; so a function may return an argument that holds NaN.
 */
const SAME_NAN = 'fnan';

/** As Python's `json.dumps` writes it: ASCII alone. */
const formatStringText = (text: string): string =>
    `s${JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}`;

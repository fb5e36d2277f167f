/*
 * Numbers as the judging systems that we reproduce read them. Each function takes ASCII bytes and returns NaN if they are not a
 * number.
 */

const ZERO = 48;
const NINE = 57;

/** `12`, `-1.`, `.5`, `+1e-7`: what every rule accepts as a number. Infinity if it does not fit a double. */
export function parseDecimal(bytes: Buffer, from: number, to: number): number {
    let at = from;
    if (bytes[at] === 43 || bytes[at] === 45) at += 1;
    const whole = skipDigits(bytes, at, to);
    let digits = whole - at;
    at = whole;
    if (at < to && bytes[at] === 46) {
        const fraction = skipDigits(bytes, at + 1, to);
        digits += fraction - at - 1;
        at = fraction;
    }
    if (digits === 0) return Number.NaN;
    if (at < to && (bytes[at] === 101 || bytes[at] === 69)) {
        at += 1;
        if (at < to && (bytes[at] === 43 || bytes[at] === 45)) at += 1;
        const exponent = skipDigits(bytes, at, to);
        if (exponent === at) return Number.NaN;
        at = exponent;
    }
    return at === to ? Number(bytes.toString('latin1', from, to)) : Number.NaN;
}

function skipDigits(bytes: Buffer, from: number, to: number): number {
    let at = from;
    while (at < to) {
        const byte = bytes[at] ?? 0;
        if (byte < ZERO || byte > NINE) break;
        at += 1;
    }
    return at;
}

const SCANF = /^([+-]?)(?:0x([0-9a-f]*)\.?([0-9a-f]*)(?:p([+-]?[0-9]*))?|(\d+\.?\d*|\.\d+)e[+-]?)$/i;

/**
 * What C's scanf accepts as a finite double, as the default validator of problem packages uses it: decimals, hexadecimals, and
 * (as glibc does) an exponent without digits. NaN for `inf`, `nan` and numbers that overflow: the validator treats them as text.
 */
export function parseScanf(bytes: Buffer, from: number, to: number): number {
    const decimal = parseDecimal(bytes, from, to);
    if (!Number.isNaN(decimal)) return Number.isFinite(decimal) ? decimal : Number.NaN;
    const first = bytes[from] ?? 0;
    // Most tokens that are not decimals start with a letter; skip the regular expression for those.
    if (first > NINE) return Number.NaN;
    const match = SCANF.exec(bytes.toString('latin1', from, to));
    if (match === null) return Number.NaN;
    const [, sign, whole = '', fraction = '', exponent = '', bareExponent] = match;
    const value = bareExponent === undefined ? hexadecimal(whole, fraction, exponent) : Number(bareExponent);
    if (!Number.isFinite(value)) return Number.NaN;
    return sign === '-' ? -value : value;
}

function hexadecimal(whole: string, fraction: string, exponent: string): number {
    const digits = whole + fraction;
    if (digits === '') return Number.NaN;
    // An exponent without digits (`0x1p`, `0x1p+`) is ignored.
    const power = /\d/.test(exponent) ? Number(exponent) : 0;
    return Number(BigInt(`0x${digits}`)) * 2 ** (power - 4 * fraction.length);
}

const ABSL_SPECIAL = /^(?:\+(?!-))?-?(?:inf(?:inity)?|nan(?:\([a-z0-9_]*\))?)$/i;

/** A number for the code_contests tester: a decimal (infinite if it overflows), infinity or not-a-number. */
export function parseTesterNumber(
    bytes: Buffer,
    from: number,
    to: number,
): { readonly value: number } | null {
    const decimal = parseDecimal(bytes, from, to);
    if (!Number.isNaN(decimal)) return { value: decimal };
    if (to - from < 3 || to - from > 64) return null;
    const text = bytes.toString('latin1', from, to);
    if (!ABSL_SPECIAL.test(text)) return null;
    if (/nan/i.test(text)) return { value: Number.NaN };
    return { value: text.includes('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY };
}

const PYTHON_NUMBER =
    /^[+-]?(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?$/i;
const PYTHON_INFINITE = /^[+-]?inf(?:inity)?$/i;

/** What Python's float() accepts, without surrounding white space; NaN for `nan` too, which equals nothing anyway. */
export function parsePython(text: string): number {
    if (PYTHON_NUMBER.test(text)) return Number(text.replaceAll('_', ''));
    if (PYTHON_INFINITE.test(text)) {
        return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    }
    return Number.NaN;
}

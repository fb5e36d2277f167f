/*
 * C0, DEL, C1, line and paragraph separators, directional marks, overrides and isolates, byte order mark: anything that could
 * move the cursor, change colours, or display text out of order.
 */
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const SHORT: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' };

// Our own colours (report/style.ts), and the line breaks between our lines.
// oxlint-disable-next-line no-control-regex
const KEPT = /\n|\u001b\[\d{1,2}m/g;

/**
 * Escapes finished lines for a terminal, as the last step before they are printed: anything in them that could steer it, other
 * than line breaks and colours, becomes visible. Parts from outside have gone through `printable` before.
 */
export function escapeLines(text: string): string {
    const kept = [...text.matchAll(KEPT)].map(([match]) => match);
    return text
        .split(KEPT)
        .map((part, i) => escapeLine(part) + (kept[i] ?? ''))
        .join('');
}

/** Text of several lines from outside, for a file: tabs and line breaks stay. */
export function escapeText(text: string): string {
    return text
        .split(/([\t\r\n]+)/)
        .map((part, i) => (i % 2 === 0 ? escapeLine(part) : part))
        .join('');
}

/** Of those, the characters that JSON may contain unescaped. */
const UNPRINTABLE_IN_JSON = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * JSON that may be read on a terminal: characters that could steer it are written as `\u009b`, which means the same to a parser.
 */
export function escapeJson(json: string): string {
    return json.replace(
        UNPRINTABLE_IN_JSON,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}

/** Text from outside (ids, names, output of programs), made safe for a terminal: one line, without control sequences. */
export function escapeLine(text: string): string {
    return text.replace(UNPRINTABLE, (character) => {
        const code = character.charCodeAt(0);
        const hex = code.toString(16);
        return SHORT[character] ?? (code < 256 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`);
    });
}

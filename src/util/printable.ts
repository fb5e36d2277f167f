/*
 * C0, DEL, C1, line and paragraph separators, directional marks, overrides and isolates, byte order mark: what could move the
 * cursor, change colours, or show text in another order than it has.
 */
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const SHORT: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' };

// Our own colours (report/style.ts), and the line ends between lines of ours.
// oxlint-disable-next-line no-control-regex
const KEPT = /\n|\u001b\[\d{1,2}m/g;

/**
 * Lines that were put together for a terminal, as the last thing that happens to them: whatever in them could steer it, and is
 * neither a line end nor a colour, becomes visible. Parts from outside have gone through `printable` before.
 */
export function escapeLines(text: string): string {
    const kept = [...text.matchAll(KEPT)].map(([match]) => match);
    return text
        .split(KEPT)
        .map((part, i) => escapeLine(part) + (kept[i] ?? ''))
        .join('');
}

/** Text of several lines from outside, for a file: tabs and line ends stay. */
export function escapeText(text: string): string {
    return text
        .split(/([\t\r\n]+)/)
        .map((part, i) => (i % 2 === 0 ? escapeLine(part) : part))
        .join('');
}

/** Of those, the ones that JSON may hold as they are. */
const UNPRINTABLE_IN_JSON = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** JSON that may be read on a terminal: what could steer it is written as `\u009b`, which means the same to whoever parses it. */
export function escapeJson(json: string): string {
    return json.replace(
        UNPRINTABLE_IN_JSON,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}

/** Text that came from outside (ids, names, output of programs), safe to print on a terminal: one line, no commands in it. */
export function escapeLine(text: string): string {
    return text.replace(UNPRINTABLE, (character) => {
        const code = character.charCodeAt(0);
        const hex = code.toString(16);
        return SHORT[character] ?? (code < 256 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`);
    });
}

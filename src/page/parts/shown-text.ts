import { escapeLine, escapeText } from '../../util/printable.js';

/** Characters shown of one line: a line of a megabyte would block the browser. */
const MOST_OF_LINE = 2000;
const MOST_OF_LABEL = 200;

/**
 * Formats an id or another short text from outside: a single line, without characters that reorder or hide the text around it.
 */
export function formatLabel(text: string): string {
    const visible = escapeLine(text.slice(0, MOST_OF_LABEL + 1));
    return text.length > MOST_OF_LABEL ? `${visible.slice(0, MOST_OF_LABEL)}…` : visible;
}

/** Formats a multi-line text from outside. Lines that are too long are cut and end in their length. */
export function formatLines(text: string): string {
    return escapeText(text)
        .split('\n')
        .map((line) =>
            line.length > MOST_OF_LINE
                ? `${line.slice(0, MOST_OF_LINE)} … (+${line.length - MOST_OF_LINE})`
                : line,
        )
        .join('\n');
}

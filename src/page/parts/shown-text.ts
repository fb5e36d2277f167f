import { escapeLine, escapeText } from '../../util/printable.js';

/** Characters shown of one line: a line of a megabyte would block the browser. */
const MAX_LINE_LENGTH = 2000;
const MAX_LABEL_LENGTH = 200;

/**
 * Formats an id or another short text from outside: a single line, without characters that reorder or hide the text around it.
 */
export function formatLabel(text: string): string {
    const visible = escapeLine(text.slice(0, MAX_LABEL_LENGTH + 1));
    return text.length > MAX_LABEL_LENGTH ? `${visible.slice(0, MAX_LABEL_LENGTH)}…` : visible;
}

/** Formats a multi-line text from outside. Lines that are too long are cut and end in their length. */
export function formatLines(text: string): string {
    return escapeText(text)
        .split('\n')
        .map((line) =>
            line.length > MAX_LINE_LENGTH
                ? `${line.slice(0, MAX_LINE_LENGTH)} … (+${line.length - MAX_LINE_LENGTH})`
                : line,
        )
        .join('\n');
}

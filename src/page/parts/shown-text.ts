import { escapeLine, escapeText } from '../../util/printable.js';

/** Characters of one line that are shown: a line of a megabyte would block the browser. */
const MOST_OF_LINE = 2000;
const MOST_OF_LABEL = 200;

/** An id or another short text from outside: one line, nothing in it that reorders or hides what stands around it. */
export function formatLabel(text: string): string {
    const visible = escapeLine(text.slice(0, MOST_OF_LABEL + 1));
    return text.length > MOST_OF_LABEL ? `${visible.slice(0, MOST_OF_LABEL)}…` : visible;
}

/** A text of many lines from outside. Lines that are too long end in a mark that says how long they are. */
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

import { escapeLine } from './printable.js';

/*
 * The only writer of Markdown. Text from outside (ids, names, groups, messages) becomes a code span, so that it cannot act as a
 * link, an image, HTML, a mention of a user or a reference to an issue.
 */

/** A cell or a part of a line: our own words unchanged, or `outside`, text from anywhere. */
export type MarkdownPart = string | { readonly outside: string };

/**
 * The lines of a table with a header, in GitHub's dialect, created one by one.
 * @param isLeft whether a column is aligned left, by its number; by default only the first is
 */
export function* renderMarkdownTable(
    titles: readonly MarkdownPart[],
    rows: Iterable<readonly MarkdownPart[]>,
    isLeft: (column: number) => boolean = (column) => column === 0,
): Generator<string> {
    const line = (cells: readonly MarkdownPart[]): string => `| ${cells.map(formatCell).join(' | ')} |`;
    yield line(titles);
    yield line(titles.map((_, i) => (isLeft(i) ? '---' : '---:')));
    for (const cells of rows) yield line(cells);
}

/** One line of text: the parts joined without separators. */
export function renderMarkdownLine(...parts: readonly MarkdownPart[]): string {
    return parts
        .map((part) => (typeof part === 'string' ? part : makeCodeSpan(escapeLine(part.outside))))
        .join('');
}

function formatCell(cell: MarkdownPart): string {
    if (typeof cell === 'string') return cell;
    // A table is split at its bars before anything else is parsed, and `\\|` would be an escaped backslash and a bar.
    return makeCodeSpan(escapeLine(cell.outside).replace(/\\(?=\|)/g, '\\x5c')).replaceAll('|', '\\|');
}

/** Fenced by more backticks than the longest run inside. */
function makeCodeSpan(text: string): string {
    if (text === '') return '';
    const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
    const fence = '`'.repeat(longest + 1);
    const needsSpace =
        text.startsWith('`') || text.endsWith('`') || /^ .* $/s.test(text) || /^ +$/.test(text);
    return needsSpace ? `${fence} ${text} ${fence}` : `${fence}${text}${fence}`;
}

import { escapeLine } from './printable.js';

/*
 * The one writer of Markdown. Text that came from outside (ids, names, groups, messages) is a code span: nothing in one is a
 * link, an image, HTML, a mention of somebody or a reference to an issue.
 */

/** A cell or a part of a line: words of ours as they are, or `outside`, text from anywhere. */
export type MarkdownPart = string | { readonly outside: string };

/**
 * The lines of a table with a header, in GitHub's dialect, each made when it is asked for.
 * @param isLeft whether a column is aligned left, by its number; without it the first one is
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

/** One line of text: parts joined as they stand. */
export function renderMarkdownLine(...parts: readonly MarkdownPart[]): string {
    return parts
        .map((part) => (typeof part === 'string' ? part : makeCodeSpan(escapeLine(part.outside))))
        .join('');
}

function formatCell(cell: MarkdownPart): string {
    if (typeof cell === 'string') return cell;
    // A table is split at its bars before anything else is read, and `\\|` would be an escaped backslash and a bar.
    return makeCodeSpan(escapeLine(cell.outside).replace(/\\(?=\|)/g, '\\x5c')).replaceAll('|', '\\|');
}

/** Fenced by more backticks than there are in a row inside. */
function makeCodeSpan(text: string): string {
    if (text === '') return '';
    const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
    const fence = '`'.repeat(longest + 1);
    const needsSpace =
        text.startsWith('`') || text.endsWith('`') || /^ .* $/s.test(text) || /^ +$/.test(text);
    return needsSpace ? `${fence} ${text} ${fence}` : `${fence}${text}${fence}`;
}

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderMarkdownLine, renderMarkdownTable } from '../../src/util/markdown.js';
import { escapeLine, escapeLines } from '../../src/util/printable.js';
import { runs } from '../rig/long.js';

const hostile = fc
    .array(
        fc.constantFrom(
            '`',
            '``',
            '|',
            '\\',
            ' ',
            'a',
            '@you',
            '<b>',
            '\n',
            '\u001b[1m',
            '*',
            '#1',
            '\u202e',
        ),
        {
            maxLength: 8,
        },
    )
    .map((pieces) => pieces.join(''));

/** Cells of a row, split as GitHub does: a backslash escapes the next character. */
const cellsOf = (row: string): string[] =>
    [...row.slice(1).matchAll(/((?:\\.|[^|\\])*)\|/g)].map(([, cell = '']) => cell.replaceAll('\\|', '|'));

/** What a line consisting of one code span shows (CommonMark 0.31, 6.1); null if it is not one. */
function shownBy(line: string): string | null {
    const fence = /^`+/.exec(line)?.[0] ?? '';
    if (fence === '' || line.length < 2 * fence.length || !line.endsWith(fence)) return null;
    const inside = line.slice(fence.length, -fence.length);
    if ([...inside.matchAll(/`+/g)].some(([run]) => run.length === fence.length)) return null;
    if (inside.startsWith('`') || inside.endsWith('`')) return null;
    const isPadded = inside.startsWith(' ') && inside.endsWith(' ') && inside.trim() !== '';
    return isPadded ? inside.slice(1, -1) : inside;
}

test('text from outside is one code span, in a table and in a line', () => {
    fc.assert(
        fc.property(hostile, (text) => {
            const [, , row = ''] = renderMarkdownTable(['a', 'b'], [[{ outside: text }, '1']]);
            const cells = cellsOf(row);
            expect(cells).toHaveLength(2);
            if (text === '') return;
            const wanted = escapeLine(text).trim();
            const inCell = shownBy((cells[0] ?? '').slice(1, -1));
            expect(inCell?.replaceAll('\\x5c|', '\\|').trim()).toBe(wanted);
            expect(shownBy(renderMarkdownLine({ outside: text }))?.trim()).toBe(wanted);
        }),
        { numRuns: runs(1000) },
    );
});

test('lines for a terminal keep their ends and our colours, and nothing else that could steer it', () => {
    const ours = '\u001b[1mtitle\u001b[22m\n  row\n';
    expect(escapeLines(ours)).toBe(ours);
    expect(escapeLines('a\u001b[2J\u001b]0;x\u0007\r\u009b1m')).toBe('a\\x1b[2J\\x1b]0;x\\x07\\r\\x9b1m');
});

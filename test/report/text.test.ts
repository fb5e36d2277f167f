import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
    formatBytes,
    count,
    formatCount,
    formatDuration,
    groupTitle,
    formatPercent,
    formatRate,
} from '../../src/report/format.js';
import { buildShellCommand, quoteWord } from '../../src/report/shell.js';
import { COLOURED, PLAIN, chooseStyle } from '../../src/report/style.js';
import { renderTable, type Column } from '../../src/report/table.js';
import { cut, fitScreen, padEnd, padStart, measureWidth } from '../../src/report/width.js';

describe('a screen', () => {
    test('shows lines from the first that fit, counting the rows that long ones take', () => {
        const screen = { rows: 5, columns: 10 };
        expect(fitScreen(['a', 'b', 'c', 'd'], screen)).toEqual(['a', 'b', 'c', 'd']);
        expect(fitScreen(['a', 'b', 'c', 'd', 'e'], screen)).toEqual(['a', 'b', 'c', '…']);
        expect(fitScreen(['a', 'b'.repeat(25), 'c'], screen)).toEqual(['a', '…']);
        expect(fitScreen(['a', 'b'.repeat(20), 'c'], screen)).toEqual(['a', 'b'.repeat(20), 'c']);
    });
});

describe('width', () => {
    test.each([
        ['', 0],
        ['abc', 3],
        ['中文', 4],
        ['ｆｕｌｌ', 8],
        ['e\u0301', 1],
        ['한글', 4],
        ['🎉', 2],
        [COLOURED.red('abc'), 3],
    ])('%j takes %d columns', (text, columns) => {
        expect(measureWidth(text)).toBe(columns);
    });

    test.each([
        ['short', 10, 'short'],
        ['Codeforces/1575/A', 11, 'Codef…575/A'],
        ['abc', 2, 'a…'],
        ['abc', 1, '…'],
        ['abc', 0, ''],
        ['中文題目', 5, '中…目'],
    ])('%s cut to %d', (text, columns, expected) => {
        expect(cut(text, columns)).toBe(expected);
    });

    test('a cut text fits', () => {
        fc.assert(
            fc.property(fc.string({ unit: 'binary' }), fc.nat(30), (text, columns) => {
                expect(measureWidth(cut(text, columns))).toBeLessThanOrEqual(columns);
            }),
        );
    });

    test('padding counts columns', () => {
        expect(padEnd('中', 4)).toBe('中  ');
        expect(padStart('中', 4)).toBe('  中');
        expect(padStart('12345', 4)).toBe('12345');
    });
});

describe('format', () => {
    test.each([
        [0, '0.0 s'],
        [0.0001, '1 ms'],
        [0.0213, '21 ms'],
        [0.0951, '0.1 s'],
        [9.94, '9.9 s'],
        [9.96, '10 s'],
        [59.6, '1m 00s'],
        [252, '4m 12s'],
        [3599.7, '1h 00m'],
        [86399, '23h 59m'],
        [1_040_400, '12d 1h'],
        [Number.POSITIVE_INFINITY, '-'],
        [-1, '0.0 s'],
    ])('%d seconds: %s', (seconds, text) => {
        expect(formatDuration(seconds)).toBe(text);
    });

    test.each([
        [0, 0, '-'],
        [0, 9, '0 %'],
        [9, 9, '100 %'],
        [99_999, 100_000, '99.9 %'],
        [1, 100_000, '0.1 %'],
        [41, 43, '95.3 %'],
    ])('%d of %d: %s', (part, whole, text) => {
        expect(formatPercent(part, whole)).toBe(text);
    });

    test.each([
        [0, '-'],
        [Number.NaN, '-'],
        [33_400.4, '33,400/s'],
        [12.44, '12.4/s'],
        [0.5, '30.0/min'],
        [0.001, '3.6/h'],
    ])('%d a second: %s', (perSecond, text) => {
        expect(formatRate(perSecond)).toBe(text);
    });

    test('the rest', () => {
        expect(count(200_000)).toBe('200,000');
        expect([formatCount(1, 'task'), formatCount(2000, 'task')]).toEqual(['1 task', '2,000 tasks']);
        expect([formatBytes(900_000), formatBytes(212e6), formatBytes(1.44e9)]).toEqual([
            '900 kB',
            '212 MB',
            '1.4 GB',
        ]);
        expect(groupTitle('incorrect_solution')).toBe('incorrect solutions');
        expect(groupTitle('is_it')).toBe('is_it');
    });
});

describe('colours', () => {
    test.each([
        ['a terminal', true, {}, true],
        ['no terminal', false, {}, false],
        ['NO_COLOR', true, { NO_COLOR: '1' }, false],
        ['an empty NO_COLOR', true, { NO_COLOR: '' }, true],
        ['FORCE_COLOR', false, { FORCE_COLOR: '1' }, true],
        ['FORCE_COLOR=0', true, { FORCE_COLOR: '0' }, false],
        ['both', false, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
        ['a dumb terminal', true, { TERM: 'dumb' }, false],
    ])('%s', (_, isTTY, env, coloured) => {
        expect(chooseStyle({ isTTY }, env)).toBe(coloured ? COLOURED : PLAIN);
    });
});

describe('table', () => {
    const columns: Column[] = [
        { title: 'sample', align: 'left', atLeast: 8 },
        { title: 'tasks', align: 'right' },
    ];

    test('aligns wide characters and numbers', () => {
        expect(
            renderTable(
                columns,
                [
                    ['中文題目', '12'],
                    ['hello', '1,200'],
                ],
                { width: 80 },
            ),
        ).toEqual(['sample    tasks', '中文題目     12', 'hello     1,200']);
    });

    test('cuts what may be cut', () => {
        expect(
            renderTable(columns, [['a-very-long-name-of-a-sample', '1']], { width: 19, indent: '  ' }),
        ).toEqual(['  sample      tasks', '  a-ver…mple      1']);
        expect(renderTable(columns, [['a-very-long-name', '1']], { width: 3 })[1]).toBe('a-ve…ame      1');
    });

    test('makes foreign text printable, and paints only words', () => {
        const painted = { text: 'x\u001b[2J', paint: (text: string) => `<${text}>` };
        expect(renderTable([{ title: '', align: 'left' }], [[painted], ['y\nz']], { width: 80 })).toEqual([
            '<x\\x1b[2J>',
            'y\\nz',
        ]);
    });
});

describe('commands to type', () => {
    test('as examples', () => {
        expect(buildShellCommand('results')).toBe('resume-run --dir results');
        expect(buildShellCommand("it's mine", 'report')).toBe("resume-run report --dir 'it'\\''s mine'");
    });

    test('a shell reads back what was quoted', () => {
        const words = fc
            .sample(fc.string({ unit: 'grapheme', minLength: 1 }), 40)
            .filter((word) => !word.includes('\0'));
        const script = words.map((word) => `printf '%s\\0' ${quoteWord(word)}`).join('\n');
        const read = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
        expect(read).toEqual(words);
    });
});

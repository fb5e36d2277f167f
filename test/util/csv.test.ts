import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderCsv } from '../../src/util/csv.js';

/** A strict parser of RFC 4180. */
function parse(text: string): string[][] {
    const rows: string[][] = [];
    let row: string[] = [];
    for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
        row.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
        if (end === ',') continue;
        rows.push(row);
        row = [];
    }
    return rows;
}

test('every text is read back as it is, but for what would steer a spreadsheet or a terminal', () => {
    const shown: Readonly<Record<string, string>> = { '\u001b': '\\x1b', '\u009b': '\\x9b', '\0': '\\x00' };
    const plain = ['"', ',', '\r', '\n', '\t', '=', '+', '-', '@', "'", 'a', '\u4e2d'];
    const piece = fc.constantFrom(...plain, ...Object.keys(shown));
    const cell = fc.array(piece, { maxLength: 6 });
    fc.assert(
        fc.property(fc.array(fc.array(cell, { minLength: 3, maxLength: 3 }), { minLength: 1 }), (rows) => {
            const text = renderCsv(rows.map((row) => row.map((pieces) => pieces.join(''))));
            // oxlint-disable-next-line no-control-regex
            expect(text).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/);
            const wanted = rows.map((row) =>
                row.map((pieces) => {
                    const source = pieces.map((one) => shown[one] ?? one).join('');
                    return /^[=+\-@\t\r]/.test(source) ? `'${source}` : source;
                }),
            );
            expect(parse(text)).toEqual(wanted);
        }),
    );
});

test('numbers are numbers, also negative ones', () => {
    expect(renderCsv([['a', -1.5, null, true]])).toBe('a,-1.5,,true\r\n');
});

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeLine } from '../../src/util/printable.js';

test.each([
    ['plain text, 中文, émoji 🎉', 'plain text, 中文, émoji 🎉'],
    ['\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
    ['a\nb\r\tc\0', 'a\\nb\\r\\tc\\x00'],
    ['\u009b31m', '\\x9b31m'],
    ['\u202egnp.exe', '\\u202egnp.exe'],
    ['\u061cx', '\\u061cx'],
])('%j', (text, expected) => {
    expect(escapeLine(text)).toBe(expected);
});

test('whatever comes in, nothing that steers a terminal comes out', () => {
    fc.assert(
        fc.property(fc.string({ unit: 'binary' }), (text) => {
            expect(escapeLine(text)).not.toMatch(/\p{Cc}|[\u2028-\u202e\u2066-\u2069]/u);
        }),
    );
});

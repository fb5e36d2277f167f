import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeJson, escapeLine } from '../../src/util/printable.js';

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

test('JSON means what it meant, and steers nothing', () => {
    expect(escapeJson('["\u009b31m\u202e\\n"]')).toBe('["\\u009b31m\\u202e\\n"]');
    fc.assert(
        fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (key, text) => {
            const json = escapeJson(JSON.stringify({ [key]: text }));
            expect(json).not.toMatch(/\p{Cc}|[\u2028-\u202e\u2066-\u2069]/u);
            expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ [key]: text })));
        }),
    );
});

test('whatever comes in, nothing that steers a terminal comes out', () => {
    fc.assert(
        fc.property(fc.string({ unit: 'binary' }), (text) => {
            expect(escapeLine(text)).not.toMatch(/\p{Cc}|[\u2028-\u202e\u2066-\u2069]/u);
        }),
    );
});

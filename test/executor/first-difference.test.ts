import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { findFirstDifference } from '../../src/executor/first-difference.js';

const difference = (expected: string, got: string) =>
    findFirstDifference(Buffer.from(expected), Buffer.from(got));

test.each([
    ['1 2\n3 4\n', '1 2\n3 5\n', { line: 2, expected: '1 2\n3 4\n', got: '1 2\n3 5\n' }],
    ['a\nb\n', 'a', { line: 2, expected: 'a\nb\n', got: 'a' }],
    ['a', 'a b', { line: 1, expected: 'a', got: 'a b' }],
    ['a b\n', 'a  b', { line: 1, expected: 'a b\n', got: 'a  b' }],
    ['1 2\n', ' 1\n2', { line: 1, expected: '1 2\n', got: ' 1\n2' }],
    ['same\n', 'same\n', null],
])('%j and %j', (expected, got, found) => {
    expect(difference(expected, got)).toEqual(found);
});

test('keeps 256 bytes around the place, and halves no character', () => {
    const long = '\u4e2d'.repeat(400);
    const found = difference(`${long}a${long}`, `${long}b${long}`);
    for (const text of [found?.expected ?? '', found?.got ?? '']) {
        expect(text).toMatch(/^\u4e2d{85}[ab]\u4e2d{85}$/);
    }
});

test('is found exactly where texts differ', () => {
    const text = fc
        .array(fc.constantFrom('a', 'b', ' ', '\n'), { maxLength: 12 })
        .map((pieces) => pieces.join(''));
    fc.assert(
        fc.property(text, text, (expected, got) => {
            const found = difference(expected, got);
            expect(found === null).toBe(expected === got);
            expect(found?.line ?? 1).toBeLessThanOrEqual(expected.split('\n').length);
        }),
    );
});

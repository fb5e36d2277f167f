import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { compareOutput } from '../../../src/executor/checker/compare.js';
import type { BuiltInChecker } from '../../../src/model/sample.js';
import { LONG, runs } from '../../rig/long.js';
import { Bench } from './both-paths.js';
import { patience } from '../../rig/slowness.js';

const bench = new Bench();
afterAll(() => bench[Symbol.dispose]());

const CHECKERS: readonly BuiltInChecker[] = [
    { kind: 'tokens' },
    { kind: 'lines' },
    { kind: 'exact' },
    { kind: 'float', absolute: 1e-6, relative: 1e-6 },
    { kind: 'kattis', flags: [] },
    { kind: 'kattis', flags: ['case_sensitive', 'space_change_sensitive', 'float_tolerance', '1e-6'] },
    { kind: 'codecontests' },
    { kind: 'sandboxfusion' },
    { kind: 'judge0' },
    { kind: 'apps' },
    { kind: 'livecodebench' },
];
const checker = fc.constantFrom(...CHECKERS);
/** Texts that are often nearly equal, made of few kinds of pieces. */
const text = fc
    .array(
        fc.constantFrom(
            'a',
            'A',
            '1',
            '1.0',
            '1.0000001',
            '-0',
            'nan',
            '1e5',
            ' ',
            '\n',
            '\r\n',
            '\t',
            '\0',
            '\u00a0',
            '\ud83d',
        ),
        { maxLength: 12 },
    )
    .map((pieces) => pieces.join(''));
const anyBytes = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));

describe('laws of every checker', () => {
    test('an output equals itself', async () => {
        await fc.assert(
            fc.asyncProperty(
                checker,
                fc.oneof(
                    text.map((t) => Buffer.from(t)),
                    anyBytes,
                ),
                async (rule, bytes) => {
                    expect(await bench.accepts(rule, bytes, bytes)).toBe(true);
                },
            ),
            { numRuns: runs(50, 2000) },
        );
    });

    test('memory and stream agree on any bytes', async () => {
        const side = fc.oneof(
            text.map((t) => Buffer.from(t)),
            anyBytes,
        );
        await fc.assert(
            // compare() itself asserts the agreement.
            fc.asyncProperty(checker, side, side, async (rule, output, answer) => {
                const { message } = await bench.compare(rule, output, answer);
                expect(message ?? '').not.toMatch(/\p{Cc}/u);
            }),
            { numRuns: runs(125, 5000) },
        );
    });

    test('rules without a relative tolerance are symmetric', async () => {
        const symmetric = fc.constantFrom<BuiltInChecker>(
            { kind: 'tokens' },
            { kind: 'lines' },
            { kind: 'exact' },
            { kind: 'judge0' },
            { kind: 'codecontests' },
            { kind: 'livecodebench' },
            { kind: 'float', absolute: 0.1, relative: null },
            { kind: 'kattis', flags: [] },
            { kind: 'kattis', flags: ['space_change_sensitive'] },
        );
        await fc.assert(
            fc.asyncProperty(symmetric, text, text, async (rule, one, other) => {
                expect(await bench.accepts(rule, one, other)).toBe(await bench.accepts(rule, other, one));
            }),
            { numRuns: runs(75, 3000) },
        );
    });

    test('tokens are what splitting at white space gives', async () => {
        const split = (value: string) => value.split(/[\t-\r ]+/).filter((token) => token !== '');
        await fc.assert(
            fc.asyncProperty(text, text, async (output, answer) => {
                const expected = split(output).join(' ') === split(answer).join(' ');
                // Lone surrogates become the replacement character on both sides.
                expect(await bench.accepts({ kind: 'tokens' }, output, answer)).toBe(expected);
            }),
            { numRuns: runs(75, 3000) },
        );
    });

    test('lines are what trimming each line and the end gives', async () => {
        const trimmed = (value: string) =>
            value
                .split('\n')
                .map((line) => line.replace(/[\t\v\f\r ]+$/, ''))
                .join('\n')
                .replace(/\n+$/, '');
        await fc.assert(
            fc.asyncProperty(text, text, async (output, answer) => {
                const expected = trimmed(output) === trimmed(answer);
                expect(await bench.accepts({ kind: 'lines' }, output, answer)).toBe(expected);
            }),
            { numRuns: runs(75, 3000) },
        );
    });

    test('a wider tolerance accepts no less, and a number within it is accepted', async () => {
        const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
        await fc.assert(
            fc.asyncProperty(number, number, fc.constantFrom(1e-9, 1e-3, 1, 1e4), async (a, b, absolute) => {
                const float = (tolerance: number): BuiltInChecker => ({
                    kind: 'float',
                    absolute: tolerance,
                    relative: null,
                });
                const narrow = await bench.accepts(float(absolute), `${a}`, `${b}`);
                expect(narrow).toBe(Math.abs(a - b) <= absolute);
                if (narrow) expect(await bench.accepts(float(absolute * 10), `${a}`, `${b}`)).toBe(true);
            }),
            { numRuns: runs(50, 2000) },
        );
    });
});

describe('long tokens and lines', () => {
    const long = 'x'.repeat(200_000);
    const numbers = '0'.repeat(70_000);

    test.each(CHECKERS.map((rule) => [JSON.stringify(rule), rule] as const))('%s', async (_, rule) => {
        expect(await bench.accepts(rule, `${long}\n`, `${long}\n`)).toBe(true);
        expect(await bench.accepts(rule, `${long}y`, `${long}z`)).toBe(false);
        expect(await bench.accepts(rule, long, `${long}z`)).toBe(false);
        expect(await bench.accepts(rule, `${long} 1`, `${long} 2`)).toBe(false);
        expect(await bench.accepts(rule, 'x', long)).toBe(false);
    });

    test('numbers of over 64 KiB are text', async () => {
        const rule: BuiltInChecker = { kind: 'float', absolute: 1, relative: null };
        expect(await bench.accepts(rule, `${numbers}1`, `${numbers}1`)).toBe(true);
        expect(await bench.accepts(rule, `${numbers}1`, '1')).toBe(false);
    });

    test('text after a NUL in a long token is passed over', async () => {
        const rule: BuiltInChecker = { kind: 'kattis', flags: [] };
        expect(await bench.accepts(rule, `${long}\0${long}${long} 1`, `${long} 1`)).toBe(true);
        expect(await bench.accepts(rule, `${long}\0${long}${long} 1`, `${long}\0 2`)).toBe(false);
    });

    test('long white space', async () => {
        const spaces = ' '.repeat(700_000);
        expect(await bench.accepts({ kind: 'lines' }, `a${spaces}\nb`, 'a\nb')).toBe(true);
        expect(await bench.accepts({ kind: 'lines' }, `a${spaces}x\nb`, `a${spaces}y\nb`)).toBe(false);
        expect(await bench.accepts({ kind: 'tokens' }, `a${spaces}b`, 'a b')).toBe(true);
        expect(await bench.accepts({ kind: 'sandboxfusion' }, `${spaces}a${spaces}\nb`, 'a\nb')).toBe(true);
        expect(await bench.accepts({ kind: 'sandboxfusion' }, `${long}${spaces}\nb`, `${long}\nb`)).toBe(
            true,
        );
    });
});

describe('messages', () => {
    test.each<[BuiltInChecker, string, string, string]>([
        [{ kind: 'tokens' }, '1 41', '1 42', 'token 2: expected 42, got 41'],
        [{ kind: 'tokens' }, '1', '1 42', 'token 2: expected 42, the output ended'],
        [{ kind: 'tokens' }, ' \n', '42', 'token 1: expected 42, the output has no tokens'],
        [{ kind: 'tokens' }, '1 2', '1', 'token 2: got 2, the expected output ended'],
        [{ kind: 'tokens' }, '\x1b[31m', '1', 'token 1: expected 1, got \\x1b[31m'],
        [{ kind: 'lines' }, 'a\nbcd', 'a\nbxy', 'line 2, byte 2: expected "xy", got "cd"'],
        [{ kind: 'exact' }, 'ab\n', 'ab', 'byte 3: got "\\n", the expected output ended'],
        [
            { kind: 'kattis', flags: ['space_change_sensitive'] },
            'a',
            'a\n',
            'white space after token 1: expected a line feed, got none',
        ],
        [{ kind: 'sandboxfusion' }, 'a\nb', 'a\nc', 'line 2: expected c, got b'],
    ])('%j', async (rule, output, answer, message) => {
        expect((await bench.compare(rule, output, answer)).message).toBe(message);
    });

    test('stay short', async () => {
        const { message } = await bench.compare({ kind: 'tokens' }, '\u4e2d'.repeat(5000), 'x'.repeat(5000));
        expect(message?.length).toBeLessThan(160);
    });
});

test('flags of the test come after those of the checker', async () => {
    writeFileSync(bench.answer, '1.0 A');
    const rule: BuiltInChecker = { kind: 'kattis', flags: ['float_tolerance', '1e-9'] };
    const compare = async (flags: string[] | null) =>
        compareOutput(rule, Buffer.from('1.5 a'), { path: bench.answer }, flags);
    expect((await compare(null)).accepted).toBe(false);
    expect((await compare(['float_tolerance', '1'])).accepted).toBe(true);
    expect((await compare(['float_tolerance', '1', 'case_sensitive'])).accepted).toBe(false);
    await expect(compare(['float_tolerence', '1'])).rejects.toThrow(/unknown flag "float_tolerence"/);
    await expect(compare(['float_tolerance'])).rejects.toThrow(/must be followed by a number/);
});

const MEGABYTES = LONG ? 100 : 32;

test(`${MEGABYTES} MB on both sides, in bounded memory`, async () => {
    const line = `${'1234567890 '.repeat(99)}\n`;
    const big = Buffer.alloc(MEGABYTES * 1024 * 1024, line);
    writeFileSync(bench.answer, big);
    big[big.length - 3] = 'x'.charCodeAt(0);
    writeFileSync(bench.output, big);
    const before = process.memoryUsage().arrayBuffers;
    const began = performance.now();
    const result = await compareOutput(
        { kind: 'tokens' },
        { path: bench.output },
        { path: bench.answer },
        null,
    );
    expect(result.accepted).toBe(false);
    expect(result.message).toMatch(/^token \d+: expected 1234\d+, got 12\d*x\d+$/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
    expect(performance.now() - began).toBeLessThan(patience(10_000));
});

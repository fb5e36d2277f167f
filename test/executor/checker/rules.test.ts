import { afterAll, describe, expect, test } from 'vitest';
import type { BuiltInChecker } from '../../../src/model/sample.js';
import { Bench } from './both-paths.js';

const bench = new Bench();
afterAll(() => bench[Symbol.dispose]());

const kattis = (...flags: string[]): BuiltInChecker => ({ kind: 'kattis', flags });
const float = (absolute: number, relative: number | null = null): BuiltInChecker => ({
    kind: 'float',
    absolute,
    relative,
});

/** Rows: output, expected output, whether it is accepted. */
type Row = readonly [output: string, answer: string, accepted: boolean];

function table(name: string, checker: BuiltInChecker, rows: readonly Row[]): void {
    describe(name, () => {
        test.each(rows)('%j against %j: %s', async (output, answer, accepted) => {
            expect(await bench.accepts(checker, output, answer)).toBe(accepted);
        });
    });
}

table('tokens', { kind: 'tokens' }, [
    ['1 2\n3', '1\n2 3\n', true],
    ['\r\n1\r\n', '1', true],
    ['9007199254740993', '9007199254740992', false],
    ['123456789012345678901234567890', '123456789012345678901234567890\n', true],
    ['YES', 'yes', false],
    ['1.0', '1', false],
    ['1 2 3', '1 2', false],
    ['1 2', '1 2 3', false],
    ['12', '1 2', false],
    ['', ' \n', true],
    ['', '1', false],
    ['a\0b', 'a\0c', false],
    ['a\u00a0b', 'a b', false],
]);

table('lines', { kind: 'lines' }, [
    ['a b \r\nc\n\n\n', 'a b\nc', true],
    ['a  b', 'a b', false],
    [' a', 'a', false],
    ['a\n\nb', 'a\nb', false],
    ['\na', 'a', false],
    ['a\t \n', 'a \t', true],
    ['a\0', 'a', false],
    ['', '\n\n \n', true],
    ['a\nb', 'a', false],
    ['a', 'a\nb', false],
    ['a \nb', 'a x\nb', false],
]);

table('judge0', { kind: 'judge0' }, [
    ['a\0 \nb\n', 'a\nb', true],
    ['A', 'a', false],
    ['\na', 'a', false],
    ['a\0b', 'a', false],
]);

table('exact', { kind: 'exact' }, [
    ['a\n', 'a\n', true],
    ['a\n', 'a', false],
    ['a', 'a\n', false],
    ['', '', true],
    ['\r\n', '\n', false],
]);

table('float', float(1e-6, 1e-3), [
    ['1.0000005', '1', true],
    ['1000.9', '1000', true],
    ['1002', '1000', false],
    ['1e3', '1000.0', true],
    ['-0', '0', true],
    ['x', '1', false],
    ['1', 'x', false],
    ['inf', 'inf', true],
    ['inf', 'Infinity', false],
    ['1e999', '1e998', false],
    ['0x10', '16', false],
    ['nan', 'nan', true],
]);
table('float, absolute only', float(0.5), [
    ['10.5', '10', true],
    ['1000.6', '1000', false],
]);

table('kattis', kattis(), [
    ['YES no', 'yes\nNO\n', true],
    ['1.0', '1', false],
    ['1 2', '1', false],
    ['1', '1 2', false],
    ['42\0junk', '42', true],
    ['4\x002', '42', false],
]);
table('kattis, case_sensitive', kattis('case_sensitive'), [
    ['YES', 'yes', false],
    ['yes', 'yes', true],
]);
table('kattis, space_change_sensitive', kattis('space_change_sensitive'), [
    ['1 2\n', '1 2\n', true],
    ['1 2', '1 2\n', false],
    ['1 2\n\n', '1 2\n', false],
    ['1  2\n', '1 2\n', false],
    ['1 2\r\n', '1 2\n', false],
    ['a B\n', 'A b\n', true],
    ['\n1', '1', false],
    ['', '', true],
]);
table('kattis, float_tolerance', kattis('float_tolerance', '1e-3'), [
    ['1.0009', '1', true],
    ['1.002', '1', false],
    ['1000900', '1000000', true],
    ['1000', '1e3', true],
    ['0x3E8', '1000', true],
    ['1e', '1.0', true],
    ['one', '1', false],
    ['1', 'one', false],
    ['ONE', 'one', true],
    ['inf', 'INF', true],
    ['nan', '1', false],
    ['1.0f', '1.0', false],
    ['1,0', '1.0', false],
    ['1e400', '1e401', false],
    ['0.0005', '0', true],
    ['1\0x', '1.0', true],
]);
table('kattis, relative only', kattis('float_relative_tolerance', '1e-3'), [
    ['0.0005', '0', false],
    ['1.0009', '1', true],
    ['-0', '0', true],
]);
table('kattis, absolute only', kattis('float_absolute_tolerance', '1e-3'), [
    ['1000.9', '1000', false],
    ['1000.0009', '1000', true],
]);
table('kattis, the later tolerance holds', kattis('float_tolerance', '1', 'float_tolerance', '1e-9'), [
    ['1.5', '1', false],
]);

table('codecontests', { kind: 'codecontests' }, [
    ['Yes', 'YES', true],
    ['1.000001', '1', true],
    ['1.00002', '1', false],
    ['9007199254740993', '9007199254740992', true],
    ['1\f2', '1 2', false],
    ['inf 1', 'inf 1', true],
    ['inf 1', 'inf 1.0', false],
    ['nan(1) 1', 'nan(1) 1.0', false],
    ['1', 'x', false],
    ['1 2', '1', false],
]);

table('sandboxfusion', { kind: 'sandboxfusion' }, [
    ['1000001', '1000000', true],
    ['1000011', '1000000', false],
    ['1 1000001', '1 1000000', false],
    ['\n\n Yes \n', 'YES', true],
    ['a\n\nb', 'a\nb', false],
    ['a\n\nb', 'a\n \nb', true],
    ['a  b', 'a b', false],
    ['1_000', '1000', true],
    ['inf', 'infinity', false],
    ['\u00c4', '\u00e4', true],
    ['a\u00a0', 'a', true],
    ['\u3000\na', 'a', true],
    ['0', '1e-16', true],
    ['', '\n', true],
    ['', '5', false],
    ['5', '', false],
    ['1\r\n2', '1\n2', true],
]);

table('apps', { kind: 'apps' }, [
    ['1.0', '1', true],
    ['3.14159265', '3.1415926', true],
    ['0.3333333', '0.333', true],
    ['0.334', '0.333', false],
    ['0.0625', '0.062', true],
    ['0.1875', '0.188', true],
    ['100001.0', '100000', true],
    ['100002.5', '100000', false],
    ['1000001', '1000000', false],
    ['007', '+7', true],
    ['-0', '0', true],
    ['9007199254740993', '9007199254740992', false],
    ['YES', 'yes', false],
    ['2 1', '1 2', false],
    ['1 1 2', '1 2', false],
    ['1e400', '1e401', false],
    ['1\n2\n', '1 2', true],
    ['', '1', false],
]);

table('livecodebench', { kind: 'livecodebench' }, [
    ['1.0', '1', true],
    ['1.0 2', '1 2.000', true],
    ['1e3', '1000.0', true],
    ['1_000', '1000', true],
    ['-0', '0', true],
    ['1.0000001', '1', false],
    ['9007199254740993', '9007199254740992', false],
    ['9007199254740993.0', '9007199254740993', true],
    ['YES', 'yes', false],
    ['  a \n b ', 'a\nb', true],
    ['a  b', 'a b', false],
    ['1  2', '1 2', true],
    ['1\n2', '1 2', false],
    ['a\n\nb', 'a\nb', false],
    ['a 1.0', 'a 1', false],
    ['inf', 'Infinity', true],
    ['nan', 'nan', true],
    ['nan 1', 'nan 1.0', false],
    ['1 2', '1', false],
    ['', '\n', true],
    ['5', '', false],
]);

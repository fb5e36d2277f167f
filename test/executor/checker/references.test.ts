import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BuiltInChecker } from '../../../src/model/sample.js';
import { PYTHON } from '../../rig/servers/run-program.js';
import { Bench } from './both-paths.js';

/*
 * The rules of two judges depend on the libraries of their languages: C's scanf and strcasecmp, Python's strip, lower and float.
 * Here small references in those languages, written from the rules, judge thousands of cases in comparison with our checkers.
 */

const KATTIS = String.raw`
#include <cmath>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <sstream>
#include <strings.h>
using namespace std;
static bool number(const char *s, double &value) {
    char junk[20];
    return sscanf(s, "%lf%10s", &value, junk) == 1 && isfinite(value);
}
static string bytes(const string &hex) {
    string result;
    for (size_t i = 1; i + 1 < hex.size(); i += 2) result += (char)stoi(hex.substr(i, 2), nullptr, 16);
    return result;
}
static bool accepted(bool cased, bool spaced, double absolute, double relative, istream &answer, istream &output) {
    const bool numbers = absolute >= 0 || relative >= 0;
    string expected, got;
    for (;;) {
        while (isspace(answer.peek())) {
            int space = answer.get();
            if (spaced && output.get() != space) return false;
        }
        while (isspace(output.peek())) {
            output.get();
            if (spaced) return false;
        }
        if (!(answer >> expected)) return !(output >> got);
        if (!(output >> got)) return false;
        double x, y;
        if (numbers && number(expected.c_str(), x)) {
            if (!number(got.c_str(), y)) return false;
            if (!(fabs(x - y) <= absolute) && !(fabs(x - y) <= relative * fabs(x))) return false;
        } else if ((cased ? strcmp : strcasecmp)(expected.c_str(), got.c_str()) != 0) {
            return false;
        }
    }
}
int main() {
    bool cased, spaced;
    double absolute, relative;
    string answer, output;
    while (cin >> cased >> spaced >> absolute >> relative >> answer >> output) {
        istringstream a(bytes(answer)), o(bytes(output));
        puts(accepted(cased, spaced, absolute, relative, a, o) ? "1" : "0");
    }
}
`;

const SANDBOX_FUSION = `
import sys
def number(text):
    try:
        return float(text)
    except ValueError:
        return None
def same(got, expected):
    got, expected = got.lower().strip(), expected.lower().strip()
    if got == expected:
        return True
    x, y = number(got), number(expected)
    return x is not None and y is not None and abs(x - y) / max(abs(y), 1e-10) < 1e-5
for line in sys.stdin:
    answer, output = (bytes.fromhex(part[1:]).decode() for part in line.split())
    got, expected = output.strip().split('\\n'), answer.strip().split('\\n')
    print(int(len(got) == len(expected) and all(map(same, got, expected))))
`;

const LIVE_CODE_BENCH = `
import sys
from decimal import Decimal
def numbers(line):
    try:
        return [Decimal(word) for word in line.split()]
    except ArithmeticError:
        return None
def same(got, expected):
    if got == expected:
        return True
    x, y = numbers(got), numbers(expected)
    return x is not None and y is not None and x == y
for line in sys.stdin:
    answer, output = (bytes.fromhex(part[1:]).decode() for part in line.split())
    got, expected = ([one.strip() for one in text.strip().split('\\n')] for text in (output, answer))
    print(int(len(got) == len(expected) and all(map(same, got, expected))))
`;

/** The rule of apps.ts with Python's own round and comparison, without numpy. */
const APPS = `
import re
import sys
def same(got, expected):
    if got == expected:
        return True
    if re.fullmatch(r'[+-]?[0-9]+', got) and re.fullmatch(r'[+-]?[0-9]+', expected):
        return int(got) == int(expected)
    number = r'[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)(e[+-]?[0-9]+)?'
    if not all(re.fullmatch(number, text, re.I) for text in (got, expected)):
        return False
    x, y = float(got), float(expected)
    if abs(x) == float('inf') or abs(y) == float('inf'):
        return False
    return abs(x - y) <= 1e-8 + 1e-5 * abs(y) or round(x, 3) == round(y, 3)
for line in sys.stdin:
    answer, output = (bytes.fromhex(part[1:]).decode() for part in line.split())
    got, expected = output.split(), answer.split()
    print(int(len(got) == len(expected) and all(map(same, got, expected))))
`;

const dir = mkdtempSync(join(tmpdir(), 'reference-'));
const bench = new Bench();
afterAll(() => {
    bench[Symbol.dispose]();
    rmSync(dir, { recursive: true });
});

const found = (command: string): boolean => spawnSync(command, ['--version']).status === 0;
const hex = (text: string): string => `x${Buffer.from(text).toString('hex')}`;

/** Pairs of texts made of these pieces, half of them nearly equal. */
function pairs(
    pieces: readonly string[],
    spaces: readonly string[],
    number: number,
): [output: string, answer: string][] {
    const text = fc
        .array(fc.tuple(fc.constantFrom(...pieces), fc.constantFrom('', ...spaces)), { maxLength: 6 })
        .map((parts) => parts.flat().join(''));
    const changed = (answer: string): fc.Arbitrary<string> =>
        fc.constantFrom(
            answer,
            answer.toUpperCase(),
            answer.replace('1', '1.0005'),
            answer.replace('1', '1.000001'),
            answer.replace(' ', '\n'),
            `\n${answer} \n`,
        );
    const pair = text.chain((answer) => fc.tuple(fc.oneof(text, changed(answer)), fc.constant(answer)));
    return fc.sample(pair, number);
}

async function agree(
    reference: readonly string[],
    cases: readonly { line: string; checker: BuiltInChecker; output: string; answer: string }[],
): Promise<void> {
    const [command = '', ...args] = reference;
    const input = cases.map(({ line }) => `${line}\n`).join('');
    const verdicts = spawnSync(command, args, { input, encoding: 'utf8' }).stdout.trim().split('\n');
    expect(verdicts).toHaveLength(cases.length);
    for (const [i, { checker, output, answer }] of cases.entries()) {
        const ours = await bench.acceptsInMemory(checker, output, answer);
        expect({ checker, output, answer, accepted: ours }).toEqual({
            checker,
            output,
            answer,
            accepted: verdicts[i] === '1',
        });
    }
}

describe.skipIf(!found('g++'))('kattis and C (skipped where g++ is missing)', () => {
    const program = join(dir, 'kattis');
    beforeAll(() => {
        writeFileSync(`${program}.cpp`, KATTIS);
        expect(spawnSync('g++', ['-o', program, `${program}.cpp`]).status).toBe(0);
    });

    test('agree', async () => {
        const pieces = [
            'a',
            'A',
            '1',
            '1.',
            '.5',
            '+1',
            '-1',
            '1e',
            '1e+',
            '1e5',
            '1E5',
            '0x1',
            '0X1P3',
            '0x.8',
            '0x1p',
            'inf',
            'NaN',
            '1e400',
            '-0',
            '1001',
            '\0',
            '\0x',
            '.',
            '-',
            '0x',
            '1.0f',
            '\u00e9',
        ];
        const settings = fc.sample(
            fc.record({
                cased: fc.boolean(),
                spaced: fc.nat(3).map((n) => n === 0),
                absolute: fc.constantFrom(-1, 0, 1e-3),
                relative: fc.constantFrom(-1, 0, 1e-3),
            }),
            600,
        );
        const cases = pairs(pieces, [' ', '\n', '\t', '\r\n', '\v'], 600).map(([output, answer], i) => {
            const { cased = false, spaced = false, absolute = -1, relative = -1 } = settings[i] ?? {};
            const flags = [
                ...(cased ? ['case_sensitive'] : []),
                ...(spaced ? ['space_change_sensitive'] : []),
                ...(absolute < 0 ? [] : ['float_absolute_tolerance', String(absolute)]),
                ...(relative < 0 ? [] : ['float_relative_tolerance', String(relative)]),
            ];
            const line = [Number(cased), Number(spaced), absolute, relative, hex(answer), hex(output)].join(
                ' ',
            );
            return { line, checker: { kind: 'kattis' as const, flags }, output, answer };
        });
        await agree([program], cases);
    });
});

describe.skipIf(!found(PYTHON))('sandboxfusion and Python (skipped where python3 is missing)', () => {
    test('agree', async () => {
        const pieces = [
            'a',
            'A',
            '\u00c4',
            '\u0130',
            '1',
            '1.0',
            '1.',
            '.5',
            '+1',
            '1_0',
            '1__0',
            '1e5',
            '100000',
            '100001',
            '1000001',
            '1e',
            '0x1',
            'inf',
            '-inf',
            'nan',
            '1e400',
            '-0',
            '1e-16',
            '\u03a3',
            '\u00df',
        ];
        const spaces = [
            ' ',
            '\t',
            '\n',
            '\n',
            '\r\n',
            '\v',
            '\f',
            '\u00a0',
            '\u3000',
            '\u2028',
            '\u001c',
            '\u001f',
            '\u0085',
            '\ufeff',
        ];
        const cases = pairs(pieces, spaces, 600).map(([output, answer]) => ({
            line: `${hex(answer)} ${hex(output)}`,
            checker: { kind: 'sandboxfusion' as const },
            output,
            answer,
        }));
        await agree([PYTHON, '-c', SANDBOX_FUSION], cases);
    });
});

describe.skipIf(!found(PYTHON))(
    'the graders of datasets and Python (skipped where python3 is missing)',
    () => {
        const numbers = [
            '1',
            '1.0',
            '1.',
            '.5',
            '+1',
            '-1',
            '01',
            '1e5',
            '100000',
            '1E+2',
            '0.001',
            '-0',
            '0.0005',
        ];
        const odd = [
            'a',
            'A',
            '1e',
            '0x1',
            'inf',
            '-Infinity',
            'nan',
            '1e400',
            '12345678901234567891',
            '.',
            '-',
        ];

        test('livecodebench agrees', async () => {
            const spaces = [' ', '  ', '\n', '\n', '\r\n', '\t', '\u00a0', '\u2028', '\u001c'];
            const cases = pairs([...numbers, ...odd, '1_0', '\u00c4'], spaces, 600).map(
                ([output, answer]) => ({
                    line: `${hex(answer)} ${hex(output)}`,
                    checker: { kind: 'livecodebench' as const },
                    output,
                    answer,
                }),
            );
            await agree([PYTHON, '-c', LIVE_CODE_BENCH], cases);
        });

        test('apps agrees', async () => {
            const thousandths = [
                '0.0625',
                '0.062',
                '0.063',
                '0.1875',
                '0.188',
                '2.6755',
                '2.675',
                '1000001.0',
            ];
            const cases = pairs([...numbers, ...odd, ...thousandths], [' ', '\n', '\t'], 600).map(
                ([output, answer]) => ({
                    line: `${hex(answer)} ${hex(output)}`,
                    checker: { kind: 'apps' as const },
                    output,
                    answer,
                }),
            );
            await agree([PYTHON, '-c', APPS], cases);
        });
    },
);

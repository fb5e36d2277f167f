import { afterAll, describe, expect, it } from 'vitest';
import { makeExpectedLines } from '../../../src/dataset/calls/canonical-value.js';
import { callFiles, callInput } from '../../../src/dataset/calls/harness.js';
import { probeSandbox } from '../../../src/executor/sandbox/probe.js';
import { makeTextContent } from '../../../src/model/fingerprint.js';
import { type Case, JudgeRig } from './judging.js';

const { kind } = await probeSandbox('auto');

type Rule = 'apps' | 'livecodebench';

/** A function `f` called with JSON arguments, and what it should return. */
function call(
    source: string,
    calls: readonly (readonly [args: string, expected: string])[],
    rule: Rule,
): Case {
    const [harness, solution] = callFiles(makeTextContent(source));
    return {
        language: 'PYTHON3',
        source: harness.content.text ?? '',
        file: harness.name,
        files: [{ name: solution.name, text: source }],
        checker: { kind: 'calls' },
        tests: calls.map(([args, expected]) => [
            callInput('f', rule, args),
            makeExpectedLines(expected, rule),
        ]),
        limits: { time: 10 },
    };
}

describe('a function that is called', () => {
    const rig = new JudgeRig(kind, { allTests: true });
    afterAll(() => rig.close());
    const passed = async (...one: Parameters<typeof call>): Promise<boolean[]> =>
        (await rig.result(call(...one))).tests.map((test) => test.passed);

    it('gets its arguments and is compared by value, as Python compares', async () => {
        const values = [
            'null',
            'true',
            '9007199254740993',
            '123456789012345680000',
            '-0.0',
            '0.1',
            '1e-7',
            '1e22',
            '"a\\u00e9\\ud83d\\ude00\\n\\u007f\\\\\\""',
            '[[], [1.5, "x"], {"b": [1], "a": null}]',
        ];
        expect(
            await passed(
                'def f(x): return x',
                values.map((value) => [`[${value}]`, value] as const),
                'livecodebench',
            ),
        ).toEqual(values.map(() => true));
        const pairs = [
            ['1', '1.0', true],
            ['true', '1', true],
            ['9007199254740993', '9007199254740992', false],
            ['"1"', '1', false],
            ['[1]', '1', false],
            ['0.1', '0.10000000000000001', true],
            ['[1, 2]', '[2, 1]', false],
        ] as const;
        expect(
            await passed(
                'class Solution:\n    def f(self, x): return x',
                pairs.map(([given, expected]) => [`[${given}]`, expected] as const),
                'livecodebench',
            ),
        ).toEqual(pairs.map(([, , isEqual]) => isEqual));
    });

    it('may return any kind of number that equals what is expected', async () => {
        const source = `from decimal import Decimal
from fractions import Fraction
def f(i):
    return [Fraction(1, 2), Fraction(4, 2), Decimal("0.5"), Decimal("2"), 2 + 0j, Decimal("1e400"),
            Fraction(1, 10), float("inf"), Decimal("inf"), Decimal("nan")][i]`;
        const expected = ['0.5', '2', '0.5', '2.0', '2', '1e400', '0.1', '1e999', '1e999', '1e999'];
        expect(
            await passed(
                source,
                expected.map((value, i) => [`[${i}]`, value] as const),
                'livecodebench',
            ),
        ).toEqual([true, true, true, true, true, false, false, true, true, false]);
    });

    it('never equals NaN, but may return an argument that holds one, as in Python', async () => {
        const source = `import math
def f(x, way):
    return [x, x[0], [math.nan], -x[1]][way]`;
        const calls = [
            ['[[NaN, Infinity], 0]', '[NaN, Infinity]'],
            ['[[NaN, Infinity], 1]', 'NaN'],
            ['[[NaN, Infinity], 2]', '[NaN]'],
            ['[[NaN, Infinity], 3]', '-Infinity'],
        ] as const;
        for (const rule of ['livecodebench', 'apps'] as const)
            expect(await passed(source, calls, rule), rule).toEqual([true, false, false, true]);
    });

    it('may return tuples and the item of a list where the grader of its dataset takes them', async () => {
        const tuples = 'def f(x): return [(1, 2)] if x else (1, 2)';
        const calls = [
            ['[0]', '[1, 2]'],
            ['[1]', '[[1, 2]]'],
            ['[1]', '[[[1, 2]]]'],
        ] as const;
        expect(await passed(tuples, calls, 'livecodebench')).toEqual([true, false, false]);
        expect(await passed(tuples, calls, 'apps')).toEqual([true, false, true]);
        const maps = 'def f(m): return {k + 1: v for k, v in m.items()} if 1 in m else 5';
        expect(
            await passed(
                maps,
                [
                    ['[{"1": 2}]', '{"2": 2}'],
                    ['[{"3": 2}]', '[5]'],
                ],
                'apps',
            ),
        ).toEqual([true, true]);
    });

    it('has the imports of the graders, prints without being heard, and cannot list guesses', async () => {
        const source = `def f(n: List[int]) -> int:
    print("r:7")
    return sum(accumulate(n)) + gcd(4, 6) + len(Counter(n))`;
        expect(await passed(source, [['[[1, 2]]', '8']], 'livecodebench')).toEqual([true]);
        const guessing = `import os, sys
def f(n):
    os.write(3, b"\\n".join(b"r:%d" % i for i in range(50)) + b"\\n")
    os._exit(0)`;
        expect(await passed(guessing, [['[1]', '7']], 'livecodebench')).toEqual([false]);
        expect(await rig.result(call('def f(x): return 1 / 0', [['[1]', '1']], 'apps'))).toMatchObject({
            verdict: 'RuntimeError',
        });
    });
});

import { afterAll, describe, expect, it } from 'vitest';
import { makeTextContent } from '../../../src/model/fingerprint.js';
import type { Checker } from '../../../src/model/sample.js';
import { probeSandbox } from '../../../src/executor/sandbox/probe.js';
import { type Case, inWords, JudgeRig } from './judging.js';

const { kind } = await probeSandbox('auto');

function program(
    convention: 'testlib' | 'kattis',
    name: string,
    text: string,
    more: Partial<Extract<Checker, { kind: 'program' }>> = {},
): Checker {
    const files = [{ name, content: makeTextContent(text) }] as const;
    return {
        kind: 'program',
        convention,
        language: null,
        files: [...files],
        flags: [],
        time: null,
        memory: null,
        ...more,
    };
}

/** Accepts any number whose square is the input; prints what it read. */
const TESTLIB = `#include <cstdio>
int main(int argc, char **argv) {
    long n, x, a;
    FILE *in = fopen(argv[1], "r"), *out = fopen(argv[2], "r"), *ans = fopen(argv[3], "r");
    if (fscanf(in, "%ld", &n) != 1 || fscanf(ans, "%ld", &a) != 1) return 3;
    if (fscanf(out, "%ld", &x) != 1) return 2;
    fprintf(stderr, "%ld squared is not %ld\\n", x, n);
    return x * x == n ? 0 : 1;
}
`;

const KATTIS = `import sys
inp, ans, feedback = sys.argv[1:4]
n = int(open(inp).read())
x = int(sys.stdin.read())
open(feedback + 'judgemessage.txt', 'w').write('flags %s' % sys.argv[4:])
sys.exit(42 if x * x == n else 43)
`;

const exits = (code: number): string => `import sys\nprint("because", file=sys.stderr)\nsys.exit(${code})\n`;

describe('checker programs', () => {
    const rig = new JudgeRig(kind);
    afterAll(() => rig.close());
    const tests = [
        ['9', '3'],
        ['16', '4'],
    ] as const;
    const judge = (
        checker: Checker,
        source: string,
        flags?: readonly string[] | null,
        problem: Case['problem'] = {},
    ) => rig.run({ language: 'PYTHON3', source, tests, checker, flags: flags ?? [], problem });
    const rightAnswer = 'print(-int(int(input()) ** .5))\n';
    const wrongAnswer = 'print(3)\n';

    it('of the Kattis kind may open the output by name', async () => {
        const byName = program('kattis', 'v.py', KATTIS.replace('sys.stdin', "open('/dev/stdin')"));
        expect(inWords(await judge(byName, rightAnswer))).toBe('Accepted');
        // Output that is kept in a file is passed as that file.
        const padded = `${rightAnswer}print(' ' * 200000)\n`;
        expect(inWords(await judge(byName, padded))).toBe('Accepted');
    });

    it('runs them as testlib does', async () => {
        const checker = program('testlib', 'check.cpp', TESTLIB);
        expect(inWords(await judge(checker, rightAnswer))).toBe('Accepted');
        const outcome = await judge(checker, wrongAnswer);
        expect(inWords(outcome)).toBe('WrongAnswer');
        expect(outcome).toMatchObject({
            result: { tests: [{ passed: true }, { exec_info: { checker_message: '3 squared is not 16' } }] },
        });
        expect(inWords(await judge(checker, 'print("x")\n'))).toBe('WrongAnswer');
    });

    it('runs them as Kattis does, with flags and feedback', async () => {
        const checker = program('kattis', 'validate.py', KATTIS, { flags: ['a'] });
        expect(inWords(await judge(checker, rightAnswer))).toBe('Accepted');
        const outcome = await judge(checker, wrongAnswer, ['b']);
        expect(outcome).toMatchObject({
            verdict: 'WrongAnswer',
            result: { tests: [{ passed: true }, { exec_info: { checker_message: "flags ['a', 'b']" } }] },
        });
    });

    it('gives large outputs to them', async () => {
        const checker = program(
            'kattis',
            'validate.py',
            'import sys\nsys.exit(42 if len(sys.stdin.read()) == 300001 else 43)\n',
        );
        expect(inWords(await judge(checker, 'print("x" * 300000)\n'))).toBe('Accepted');
    });

    it.each([
        ['testlib', 1, /^WrongAnswer$/],
        ['testlib', 4, /^WrongAnswer$/],
        ['testlib', 8, /^WrongAnswer$/],
        ['testlib', 16, /^WrongAnswer$/],
        ['testlib', 3, /^failure judge-error: the checker exited with 3, .*: because$/],
        ['testlib', 7, /^failure judge-error: the checker exited with 7/],
        ['kattis', 0, /^failure judge-error: the validator exited with 0, expected 42 or 43: because$/],
        ['kattis', 1, /^failure judge-error/],
    ] as const)('%s exit %i', async (convention, code, expected) => {
        expect(inWords(await judge(program(convention, 'check.py', exits(code)), rightAnswer))).toMatch(
            expected,
        );
    });

    it('quotes what a validator printed that breaks the rules and says nothing else', async () => {
        const odd = 'print("wrong number of arguments")\nraise SystemExit(1)\n';
        expect(inWords(await judge(program('kattis', 'check.py', odd), rightAnswer))).toMatch(
            /^failure judge-error: the validator exited with 1, expected 42 or 43: wrong number of arguments$/,
        );
        const silent = program('kattis', 'check.py', 'raise SystemExit(1)\n');
        expect(inWords(await judge(silent, rightAnswer))).toMatch(/expected 42 or 43$/);
    });

    it('takes the points that testlib checkers give, where tests have scores', async () => {
        const checker = program(
            'testlib',
            'points.py',
            'import sys\nprint("points 2.5 not bad", file=sys.stderr)\nsys.exit(7)\n',
        );
        expect(inWords(await judge(checker, rightAnswer))).toMatch(
            /^failure judge-error: the checker returned points, but the problem has no scores: points 2.5/,
        );
        const rules = {
            kind: 'aggregation',
            aggregation: 'sum',
            maximum: 10,
            testMaximum: 5,
            requires: [],
        } as const;
        const root = { name: 'data', items: [{ test: 0 }, { test: 1 }], rules };
        const scoring = { root, objective: 'max', best: 10, grader: null } as const;
        const outcome = await judge(checker, rightAnswer, null, { scoring });
        expect(outcome).toMatchObject({ verdict: 'PartiallyAccepted', result: { score: 5 } });
    });

    it('calls a crash, a time-out and a checker that does not compile judge errors', async () => {
        const crash = program('testlib', 'crash.py', 'import os\nos.abort()\n');
        expect(inWords(await judge(crash, rightAnswer))).toMatch(
            /^failure judge-error: the checker was killed by SIGABRT/,
        );
        const threw = program('testlib', 'threw.py', 'raise ValueError("not a number")\n');
        expect(inWords(await judge(threw, rightAnswer))).toMatch(
            /^failure judge-error: the checker ended with an exception: .*ValueError: not a number/,
        );
        const quiet = program(
            'testlib',
            'quiet.py',
            'import sys\nprint("Traceback of a route", file=sys.stderr)\nsys.exit(1)\n',
        );
        expect(inWords(await judge(quiet, rightAnswer))).toMatch(/^WrongAnswer/);
        const slow = program('kattis', 'slow.py', 'while True: pass\n', { time: 0.2 });
        expect(inWords(await judge(slow, rightAnswer))).toMatch(/^failure judge-error: .* cpu limit/);
        const needsTestlib = program('testlib', 'check.cpp', '#include "testlib.h"\nint main() {}\n');
        expect(inWords(await judge(needsTestlib, rightAnswer))).toMatch(/--include-dir/);
        const unknown = program('testlib', 'check.xyz', '');
        expect(inWords(await judge(unknown, rightAnswer))).toMatch(
            /^failure judge-error: .* unsupported language/,
        );
    });
});

import { afterAll, describe, expect, it } from 'vitest';
import type { SandboxKind } from '../../../src/executor/descriptor.js';
import { probeSandbox } from '../../../src/executor/sandbox/probe.js';
import { makeTextContent } from '../../../src/model/fingerprint.js';
import type { CheckerProgram } from '../../../src/model/sample.js';
import type { BuiltInGrader, TestScoring } from '../../../src/model/scoring.js';
import { asValidator, BISECT, GUESSING, TALKS } from '../../rig/validators.js';
import { type Case, inWords, JudgeRig } from './judging.js';

const { kind } = await probeSandbox('auto');

const talk = (source: string, more: Partial<Case> = {}): Case => ({
    language: 'PYTHON3',
    source,
    checker: asValidator(GUESSING),
    problem: { interactive: true },
    tests: [
        ['37\n', ''],
        ['99\n', ''],
    ],
    limits: { time: 5 },
    ...more,
});

// Without a sandbox two programs of one user are not isolated, but they must be able to interact all the same.
const SANDBOXES: readonly SandboxKind[] = [kind, 'none'];

describe.each(SANDBOXES)('an interactive problem in sandbox %s', (sandbox) => {
    const rig = new JudgeRig(sandbox);
    afterAll(() => rig.close());

    it('accepts what the validator accepts, each side with its own figures', async () => {
        const result = await rig.result(talk(BISECT));
        expect(result).toMatchObject({ verdict: 'Accepted', tests: [{ passed: true }, { passed: true }] });
        for (const { cpu_time: cpu } of result.tests) expect(cpu).toBeLessThan(5);
    });

    it.each(TALKS)('gives %s its verdict', async (_, source, verdict) => {
        expect(await rig.result(talk(source))).toMatchObject({ verdict });
    });
});

describe('an interactive problem', () => {
    const rig = new JudgeRig(kind);
    afterAll(() => rig.close());

    it('ends a deadlock at the limit of the submission', async () => {
        const outcome = await rig.run(talk('input()\ninput()', { limits: { time: 0.2 } }));
        expect(inWords(outcome)).toBe('TimeLimitExceeded (near-time)');
    });

    it('keeps what was said, in order, and why it was rejected', async () => {
        const result = await rig.result(
            talk('input()\nprint(50, flush=True)\ninput()\nprint("?", flush=True)\ninput()'),
        );
        expect(result.tests[0]?.exec_info).toMatchObject({
            checker_message: 'not a number',
            transcript: '< ready\n> 50\n< lower\n> ?\n',
        });
    });

    it('lets neither side see the files of the other', async () => {
        const spy = `import os, glob
input()
seen = glob.glob("/proc/self/fd/[3-9]*") + glob.glob("/box/*") + [f for f in glob.glob("/src/*") if "valid" in f]
print(37 if not [f for f in seen if os.path.exists(f)] else "seen", flush=True)
input()
`;
        const outcome = await rig.run(talk(spy, { tests: [['37\n', '']] }));
        expect(inWords(outcome)).toBe('Accepted');
    });

    it('calls a validator that breaks its convention a judge error', async () => {
        const outcome = await rig.run(talk('print(1)', { checker: asValidator('raise SystemExit(0)') }));
        expect(inWords(outcome)).toMatch(/judge-error.*exited with 0, expected 42 or 43/);
        // It stays a judge error even if the submission crashes or never ends.
        const careless = asValidator('int(input())');
        expect(inWords(await rig.run(talk('raise SystemExit(3)', { checker: careless })))).toMatch(
            /judge-error.*exited with 1/,
        );
        const failing = asValidator('raise SystemExit(1)');
        const endless = talk('while True: pass', { checker: failing, limits: { time: 30 } });
        expect(inWords(await rig.run(endless))).toMatch(/judge-error.*exited with 1/);
    });

    it('gives both room for what they say before they listen', async () => {
        const words = 'print("x" * 900000, flush=True)\n';
        const submission = `${words}raise SystemExit(len(input()) != 900000)`;
        const validator = `${words}raise SystemExit(42 if len(input()) == 900000 else 43)`;
        const outcome = await rig.run(talk(submission, { checker: asValidator(validator) }));
        expect(inWords(outcome)).toBe('Accepted');
    });

    it('carries much in both directions at once', async () => {
        const echo = `import sys, threading
def pour():
    for i in range(200): print("x" * 10000, flush=True)
    print("end", flush=True)
threading.Thread(target=pour).start()
read = 0
for line in sys.stdin:
    if line == "end\\n": break
    read += len(line)
sys.exit(42 if read == 200 * 10001 else 43)
`;
        const copy = `import sys
for line in sys.stdin:
    print(line, end="", flush=True)
    if line == "end\\n": break
`;
        const outcome = await rig.run(
            talk(copy, {
                checker: asValidator(echo),
                tests: [['', '']],
                limits: { time: 10, output: 2 ** 25 },
            }),
        );
        expect(inWords(outcome)).toBe('Accepted');
    });
});

describe('the output of a validator', () => {
    const rig = new JudgeRig(kind);
    afterAll(() => rig.close());
    const says = (bytes: number, output?: number): Case => ({
        language: 'PYTHON3',
        source: 'import sys\nfor line in sys.stdin: pass',
        checker: {
            ...asValidator(
                `import sys\nfor i in range(${bytes >> 16}): print("x" * 65535, flush=True)\nsys.exit(42)`,
            ),
            ...(output === undefined ? {} : { output }),
        },
        problem: { interactive: true },
        limits: { time: 5 },
    });

    it('is bounded, by more where its package asks for more', async () => {
        const [most, more] = [16 << 20, 20 << 20];
        expect(inWords(await rig.run(says(more)))).toMatch(/judge-error.*stopped at its output limit/);
        expect(inWords(await rig.run(says(more, 24 << 20)))).toBe('Accepted');
        expect(inWords(await rig.run(says(most, 1 << 20)))).toBe('Accepted');
    });
});

describe('an interactor written for testlib', () => {
    const rig = new JudgeRig(kind);
    afterAll(() => rig.close());
    const program = (text: string): CheckerProgram => ({
        kind: 'program',
        convention: 'testlib',
        language: 'PYTHON3',
        files: [{ name: 'program.py', content: makeTextContent(text) }],
        flags: [],
        time: 10,
        memory: null,
    });
    // Prints the number and records what it receives.
    const interactor = program(`import sys
n = open(sys.argv[1]).read().strip()
print(n, flush=True)
heard = sys.stdin.readline()
if heard.strip() == "fail": sys.exit(3)
if not heard.strip().isdigit():
    sys.stderr.write("not a number")
    sys.exit(1)
open(sys.argv[2], "w").write(heard)
`);
    const checker = program(`import sys
written, answer = open(sys.argv[2]).read(), open(sys.argv[3]).read()
sys.stderr.write("wrote " + written.strip())
sys.exit(0 if written.split() == answer.split() else 1)
`);
    const talkTo = (source: string): Case => ({
        language: 'PYTHON3',
        source,
        checker,
        problem: { interactive: true, interactor },
        tests: [['4\n', '8\n']],
        limits: { time: 5 },
    });

    it('talks to the program, and the checker judges what it wrote', async () => {
        expect(await rig.result(talkTo('print(2 * int(input()))'))).toMatchObject({ verdict: 'Accepted' });
        expect(await rig.result(talkTo('print(input())'))).toMatchObject({
            verdict: 'WrongAnswer',
            tests: [{ exec_info: { checker_message: 'wrote 4', transcript: '< 4\n> 4\n' } }],
        });
    });

    it('fails the test where what it wrote is more than we read: nothing is judged as if it were empty', async () => {
        const writes = program('import sys\nopen(sys.argv[2], "wb").truncate(20 << 20)');
        const problem = { interactive: true, interactor: writes } as const;
        expect(inWords(await rig.run({ ...talkTo('print(1)'), problem }))).toMatch(
            /judge-error: what the interactor wrote cannot be read/,
        );
    });

    it('may reject by itself, and its failure is none of the program', async () => {
        expect(await rig.result(talkTo('print("x", flush=True)\nwhile True: pass'))).toMatchObject({
            verdict: 'WrongAnswer',
            tests: [{ exec_info: { checker_message: 'not a number' } }],
        });
        expect(inWords(await rig.run(talkTo('print("fail")')))).toMatch(
            /judge-error: the interactor exited with 3/,
        );
        expect(await rig.result(talkTo('print(8, flush=True)\nraise SystemExit(7)'))).toMatchObject({
            verdict: 'RuntimeError',
        });
    });
});

const DEFAULT: BuiltInGrader = {
    kind: 'default',
    verdict: 'worst_error',
    score: 'sum',
    ignoreSample: false,
    acceptIfAnyAccepted: false,
};

const scoring = (grader: TestScoring['grader'], rules: BuiltInGrader | { kind: 'custom'; flags: string[] }) =>
    ({
        root: {
            name: 'data',
            items: [{ test: 0 }, { test: 1 }],
            rules: { kind: 'grader', stopsAtReject: false, acceptScore: 1, rejectScore: 0, grader: rules },
        },
        objective: 'max',
        best: 10,
        grader,
    }) satisfies TestScoring;

const SCORES = `import sys
open(sys.argv[3] + "score.txt", "w").write(sys.stdin.read())
sys.exit(42)
`;

describe('a problem with scores', () => {
    const rig = new JudgeRig(kind);
    afterAll(() => rig.close());
    const tests = [
        ['2\n', ''],
        ['4.5\n', ''],
    ] as const;

    it('takes the scores that the validator writes', async () => {
        const problem = { scoring: scoring(null, DEFAULT) };
        const result = await rig.result({
            language: 'PYTHON3',
            source: 'print(input())',
            checker: asValidator(SCORES),
            tests,
            problem,
        });
        expect(result).toMatchObject({
            accepted: false,
            verdict: 'PartiallyAccepted',
            score: 6.5,
            best_score: 10,
            groups: [{ name: 'data', verdict: 'Accepted', score: 6.5 }],
            tests: [
                { name: 'test-1', score: 2 },
                { name: 'test-2', score: 4.5 },
            ],
        });
    });

    it('lets its grader decide, and calls a grader that prints something else a judge error', async () => {
        const graded = (text: string): Case => ({
            language: 'PYTHON3',
            source: 'print(1)',
            tests: [
                ['', '1'],
                ['', '2'],
            ],
            problem: {
                scoring: scoring(
                    { language: 'PYTHON3', files: [{ name: 'grade.py', content: makeTextContent(text) }] },
                    { kind: 'custom', flags: ['10'] },
                ),
            },
        });
        const text = `import sys
lines = [line.split() for line in sys.stdin]
assert [line[0] for line in lines] == ["AC", "WA"], lines
print("AC", float(sys.argv[1]) / len(lines))
`;
        expect(await rig.result(graded(text))).toMatchObject({ verdict: 'PartiallyAccepted', score: 5 });
        expect(inWords(await rig.run(graded('print("fine")')))).toMatch(/judge-error.*the grader.*"fine/);
    });
});

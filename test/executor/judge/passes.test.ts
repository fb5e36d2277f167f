import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { SandboxKind } from '../../../src/executor/descriptor.js';
import { probeSandbox } from '../../../src/executor/sandbox/probe.js';
import { makeTextContent } from '../../../src/model/fingerprint.js';
import type { CheckerProgram } from '../../../src/model/sample.js';
import { asValidator, COUNTING } from '../../rig/validators.js';
import { type Case, inWords, JudgeRig } from './judging.js';

const { kind } = await probeSandbox('auto');

const ECHO = 'print(input())';

const passing = (source: string, more: Partial<Case> = {}): Case => ({
    language: 'PYTHON3',
    source,
    checker: asValidator(COUNTING),
    problem: { passes: 3 },
    tests: [
        ['1\n', ''],
        ['2\n', ''],
    ],
    limits: { time: 5 },
    ...more,
});

const SANDBOXES: readonly SandboxKind[] = [kind, 'none'];

describe.each(SANDBOXES)('a multi-pass problem in sandbox %s', (sandbox) => {
    const rig = new JudgeRig(sandbox);
    afterAll(() => rig.close());

    it('runs the program again while the validator asks for it, which keeps what it wrote', async () => {
        expect(await rig.result(passing(ECHO))).toMatchObject({ verdict: 'Accepted' });
        const wrong = await rig.result(passing('n = input()\nprint(n if int(n) < 3 else "x")'));
        expect(wrong).toMatchObject({
            verdict: 'WrongAnswer',
            tests: [{ exec_info: { checker_message: 'after 1;2;' } }],
        });
    });

    it('shows the largest figures of all passes, and holds limits for each of them', async () => {
        const slow =
            'import time\nn = input()\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass\nprint(n)';
        const result = await rig.result(passing(slow, { tests: [['1\n', '']], limits: { time: 0.9 } }));
        expect(result).toMatchObject({ verdict: 'Accepted' });
        expect(result.tests[0]?.cpu_time).toBeGreaterThan(0.35);
        expect(result.tests[0]?.cpu_time).toBeLessThan(0.9);
        const crashing = 'n = input()\nprint(n)\nraise SystemExit(int(n) == 3)';
        expect(await rig.result(passing(crashing))).toMatchObject({ verdict: 'RuntimeError' });
    });

    it('calls more passes than allowed, and one after a rejection, judge errors', async () => {
        const few = await rig.run(passing(ECHO, { problem: { passes: 2 } }));
        expect(inWords(few)).toMatch(/judge-error: the validator asks for more than 2 passes/);
        const rejecting = COUNTING.replace('sys.exit(42)', 'sys.exit(43)');
        const odd = await rig.run(passing(ECHO, { checker: asValidator(rejecting) }));
        expect(inWords(odd)).toMatch(/judge-error: .*did not accept this one/);
        // What such a test leaves behind is not visible to the next.
        expect(await rig.result(passing(ECHO))).toMatchObject({ verdict: 'Accepted' });
    });

    it('says how a validator ended that crashed while it asked for a pass', async () => {
        const crashing = COUNTING.replace('sys.exit(42)', 'raise SystemExit("no more room")');
        const outcome = await rig.run(passing(ECHO, { checker: asValidator(crashing) }));
        expect(inWords(outcome)).toMatch(/judge-error: the validator exited with 1.*no more room/);
    });

    it('passes on more input than fits into a message', async () => {
        const growing = `import sys
text = open(sys.argv[1]).read()
if sys.stdin.read().strip() != str(len(text)): sys.exit(43)
if len(text) < 10: open(sys.argv[3] + "nextpass.in", "w").write("x" * 300000)
sys.exit(42)
`;
        const counting = 'import sys\nprint(len(sys.stdin.read()))';
        expect(await rig.result(passing(counting, { checker: asValidator(growing) }))).toMatchObject({
            verdict: 'Accepted',
        });
    });

    it('may be interactive: each pass is a conversation', async () => {
        const talking = COUNTING.replace('said =', 'print(int(text), flush=True)\nsaid =');
        const talk = (source: string): Case =>
            passing(source, { checker: asValidator(talking), problem: { passes: 3, interactive: true } });
        const accepted = await rig.result(talk('print(input(), flush=True)'));
        expect(accepted).toMatchObject({ verdict: 'Accepted' });
        expect(accepted.tests[0]?.exec_info).toMatchObject({
            transcript: '< 1\n> 1\n---\n< 2\n> 2\n---\n< 3\n> 3\n',
        });
        expect(await rig.result(talk('n = input()\nprint(1, flush=True)'))).toMatchObject({
            verdict: 'WrongAnswer',
            tests: [{ exec_info: { checker_message: 'after 1;' } }],
        });
    });
});

describe.each([kind])('what tests give programs in sandbox %s', (sandbox) => {
    const rig = new JudgeRig(sandbox);
    afterAll(() => rig.close());
    const file = (
        name: string,
        text: string,
    ): { name: string; content: { path: string; digest: string } } => {
        const path = join(rig.folder, name.replaceAll('/', '-'));
        writeFileSync(path, text);
        return { name, content: { path, digest: '' } };
    };

    it('are arguments, and files that only that test has', async () => {
        const source = `import sys, os
print(sys.argv[1:], sorted(os.listdir(".")), open("deep/data.txt").read() if os.path.exists("deep") else "none")
if os.path.exists("deep"): open("deep/data.txt", "w").write("mine")
`;
        const result = await rig.result({
            language: 'PYTHON3',
            source,
            checker: { kind: 'exact' },
            tests: [
                ['', "['a b', '$x'] [] none\n"],
                ['', "[] ['deep'] hello\n"],
                ['', '[] [] none\n'],
            ],
            given: [{ args: ['a b', '$x'] }, { files: [file('deep/data.txt', 'hello')] }, {}],
        });
        expect(result).toMatchObject({ verdict: 'Accepted' });
    });

    it.each([
        ['both in files', 'open("b.out", "w").write(open("a.in").read() * 2)\nprint("noise")', 'Accepted'],
        ['a wrong one', 'open("b.out", "w").write(open("a.in").read())', 'WrongAnswer'],
        ['no output file', 'print(open("a.in").read() * 2)', 'WrongAnswer'],
        ['a crash after the output', 'open("b.out", "w").write("77")\nraise SystemExit(3)', 'RuntimeError'],
        ['a link as its output', 'import os\nos.symlink("/dev/zero", "b.out")', 'WrongAnswer'],
    ])('may be files with names: %s', async (_, source, verdict) => {
        const result = await rig.result({
            language: 'PYTHON3',
            source,
            problem: { namedFiles: { input: 'a.in', output: 'b.out' } },
            tests: [['7', '77']],
        });
        expect(result).toMatchObject({ verdict });
    });

    it('is the source, where a static validator judges it', async () => {
        const reading = `import sys, os
language, entry, folder = sys.argv[1:4]
text = open(entry).read()
open(folder + "judgemessage.txt", "w").write(" ".join(sys.argv[4:]))
sys.exit(42 if language == "python3" and "while" not in text and os.path.exists("helper.py") else 43)
`;
        const judge = (source: string): Case => ({
            language: 'PYTHON3',
            source,
            files: [{ name: 'helper.py', text: '' }],
            tests: [
                ['', ''],
                ['', '1'],
            ],
            given: [{ staticFlags: ['loops'] }, {}],
            problem: { staticValidator: asValidator(reading) },
        });
        expect(await rig.result(judge('print(1)'))).toMatchObject({
            verdict: 'Accepted',
            tests: [{ passed: true, cpu_time: null }, { passed: true }],
        });
        expect(await rig.result(judge('print(1)\nwhile False: pass'))).toMatchObject({
            verdict: 'WrongAnswer',
            tests: [{ exec_info: { checker_message: 'loops' } }],
        });
    });

    it('is looked up where a submission holds answers', async () => {
        const answers = (names: Readonly<Record<string, string>>): Case => {
            const [[main, text] = ['', ''], ...rest] = Object.entries(names);
            return {
                language: 'ANSWERS',
                file: main,
                source: text,
                files: rest.map(([name, text]) => ({ name, text })),
                tests: [
                    ['', '1'],
                    ['', '2'],
                ],
            };
        };
        const both = { 'test-1.out': '1\n', 'test-2.ans': '2\n' };
        expect(await rig.result(answers(both))).toMatchObject({ verdict: 'Accepted' });
        expect(await rig.result(answers({ 'test-1.out': '1\n', notes: '' }))).toMatchObject({
            verdict: 'WrongAnswer',
        });
    });
});

describe('validators of a problem', () => {
    const rig = new JudgeRig(kind);
    afterAll(() => rig.close());
    const judged = (checker: CheckerProgram, source: string): Case => ({
        language: 'PYTHON3',
        source,
        checker,
        tests: [['', '']],
    });

    it('must all accept where there are several', async () => {
        const odd = 'import sys\nsys.exit(42 if int(sys.stdin.read()) % 2 else 43)';
        const small = `import sys
if int(sys.stdin.read()) < 10: sys.exit(42)
open(sys.argv[3] + "judgemessage.txt", "w").write("too large")
sys.exit(43)`;
        const both = { ...asValidator(odd), also: [asValidator(small)] };
        expect(await rig.result(judged(both, 'print(3)'))).toMatchObject({ verdict: 'Accepted' });
        expect(await rig.result(judged(both, 'print(4)'))).toMatchObject({ verdict: 'WrongAnswer' });
        expect(await rig.result(judged(both, 'print(11)'))).toMatchObject({
            verdict: 'WrongAnswer',
            tests: [{ exec_info: { checker_message: 'too large' } }],
        });
    });

    it('may be built by a script of their own, in the sandbox', async () => {
        const scripted: CheckerProgram = {
            ...asValidator(''),
            language: 'SCRIPTED',
            files: [
                {
                    name: 'build',
                    content: makeTextContent(
                        "#!/bin/sh\nid -un > who\nprintf '#!/bin/sh\\nread n\\nexit $((40 + n))\\n' > run\nchmod +x run\n",
                    ),
                },
                { name: 'notes.h', content: makeTextContent('') },
            ],
        };
        expect(await rig.result(judged(scripted, 'print(2)'))).toMatchObject({ verdict: 'Accepted' });
        expect(await rig.result(judged(scripted, 'print(3)'))).toMatchObject({ verdict: 'WrongAnswer' });
        const wrapped: CheckerProgram = {
            ...scripted,
            files: [
                { name: 'build', content: makeTextContent('#!/bin/sh\n# nothing to compile\n') },
                {
                    name: 'run',
                    content: makeTextContent(
                        '#!/bin/sh\ncheck=$(dirname "$(readlink -f "$0")")/check\n[ -x "$check" ] || exit 1\nexec "$check"\n',
                    ),
                },
                { name: 'check', content: makeTextContent('#!/bin/sh\nread n\nexit $((40 + n))\n') },
            ],
        };
        expect(await rig.result(judged(wrapped, 'print(2)'))).toMatchObject({ verdict: 'Accepted' });
        const broken: CheckerProgram = {
            ...scripted,
            files: [
                { name: 'build', content: makeTextContent('#!/bin/sh\necho no such tool >&2\nexit 3\n') },
            ],
        };
        expect(inWords(await rig.run(judged(broken, 'print(2)')))).toMatch(/judge-error.*no such tool/);
    });
});

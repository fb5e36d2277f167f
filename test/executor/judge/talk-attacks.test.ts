import { afterAll, describe, expect, it } from 'vitest';
import type { SandboxKind } from '../../../src/executor/descriptor.js';
import { probeSandbox } from '../../../src/executor/sandbox/probe.js';
import { asValidator, BISECT, COUNTING, GUESSING } from '../../rig/validators.js';
import { type Case, inWords, JudgeRig } from './judging.js';

/*
 * Two programs that attack each other, and validators that attack the judge, in every sandbox. What counts: the verdict is one
 * that the attacker can bring on itself, never acceptance, and the next test of a good program is judged as usual.
 */

const { kind } = await probeSandbox('auto');
const SANDBOXES = [...new Set<SandboxKind>([kind, 'rlimit'])];

const talk = (source: string, more: Partial<Case> = {}): Case => ({
    language: 'PYTHON3',
    source,
    checker: asValidator(GUESSING),
    problem: { interactive: true },
    tests: [['37\n', '']],
    limits: { time: 1, output: 64 * 1024 },
    ...more,
});

/** Kills every process that it may, once the validator is there. */
const KILLS = `import os, signal
input()
for pid in [-1] + [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid(), os.getppid())]:
    try: os.kill(pid, signal.SIGKILL)
    except OSError: pass
print(1, flush=True)
`;

/** Looks for the number in everything that it can read of other processes. */
const SPIES = `import os, re
input()
found = set()
for pid in [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]:
    for name in ("cmdline", "environ", "fd/0", "fd/3", "cwd/feedback/judgemessage.txt"):
        try: found |= set(re.findall(rb"\\\\b37\\\\b", open(f"/proc/{pid}/{name}", "rb").read(1 << 16)))
        except OSError: pass
    try:
        words = open(f"/proc/{pid}/cmdline", "rb").read().decode("latin1").split("\\\\0")
        for word in words:
            try: found |= set(re.findall(rb"\\\\b37\\\\b", open(f"/proc/{pid}/root" + word, "rb").read(64)))
            except (OSError, ValueError): pass
    except OSError: pass
print(37 if found else 1, flush=True)
`.replaceAll('\\\\', '\\');

const FLOODS = 'import sys\nwhile True: sys.stdout.write("1" * 1000)\n';
/** Rejects, whatever it receives, after flooding its output. */
const FLOODING = `import sys
try:
    for i in range(3000): sys.stdout.write("x" * 1000)
    sys.stdout.flush()
except OSError: pass
sys.exit(43)
`;

/** Under rlimit, all programs of an ordinary user belong to that user, so only the kernel's rules separate them. */
const isShared = (sandbox: SandboxKind): boolean => sandbox === 'rlimit' && process.getuid?.() !== 0;

describe.each(SANDBOXES)('programs that attack each other in sandbox %s', (sandbox) => {
    if (isShared(sandbox)) {
        process.stdout.write('skipped: programs that attack each other under rlimit: not root\n');
        it.skip('skipped: all programs are of one user', () => {});
        return;
    }
    const rig = new JudgeRig(sandbox);
    afterAll(() => rig.close());

    it.each([
        ['kills', KILLS, /^(WrongAnswer|RuntimeError)/],
        ['spies', SPIES, /^WrongAnswer/],
        ['floods', FLOODS, /^(OutputLimitExceeded|WrongAnswer)/],
    ])('do not get accepted by it, nor harm the next one: one that %s', async (_, source, verdict) => {
        expect(inWords(await rig.run(talk(source)))).toMatch(verdict);
        expect(inWords(await rig.run(talk(BISECT, { limits: { time: 5 } })))).toBe('Accepted');
    });

    it('keep a short transcript of a flood', async () => {
        const result = await rig.result(talk('input()\nprint(1)', { checker: asValidator(FLOODING) }));
        expect(result).toMatchObject({ verdict: 'WrongAnswer' });
        expect(JSON.stringify(result).length).toBeLessThan(8 * 1024);
    });
});

describe.each(SANDBOXES)('what a validator leaves for the next pass in sandbox %s', (sandbox) => {
    const rig = new JudgeRig(sandbox);
    afterAll(() => rig.close());
    const pass = (leave: string): Case => ({
        language: 'PYTHON3',
        source: 'print(input())',
        checker: asValidator(`import os, sys\nnext = sys.argv[3] + "nextpass.in"\n${leave}\nsys.exit(42)\n`),
        problem: { passes: 3 },
        tests: [['1\n', '']],
        limits: { time: 5 },
    });

    it.each([
        ['a link to what it may not read', 'os.symlink("/etc/shadow", next)', /judge-error|Accepted/],
        ['a folder', 'os.mkdir(next)', /^Accepted$/],
        ['a pipe', 'os.mkfifo(next)', /^Accepted$/],
        ['a link to itself', 'os.symlink("nextpass.in", next)', /^Accepted$/],
        ['more than there may be', 'open(next, "wb").truncate(40 << 20)', /judge-error/],
    ])('is never followed out of its folder, and bounded: %s', async (_, leave, outcome) => {
        expect(inWords(await rig.run(pass(leave)))).toMatch(outcome);
        const good = { ...pass(''), checker: asValidator(COUNTING) };
        expect(inWords(await rig.run(good))).toBe('Accepted');
    });
});

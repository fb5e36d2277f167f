import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { JudgeResult } from '../../../src/model/entry.js';
import { probeSandbox } from '../../../src/executor/sandbox/probe.js';
import { inWords, JudgeRig } from './judging.js';
import { patience } from '../../rig/slowness.js';

const { kind } = await probeSandbox('auto');
const ECHO = 'print(input())\n';
const MIB = 1024 * 1024;

/** Burns CPU time, in the process itself or in two children. */
const burn = (seconds: number): string =>
    `import time\nend = ${seconds}\nwhile time.process_time() < end: pass\nprint("done")\n`;

describe('the course of an attempt', () => {
    const rig = new JudgeRig(kind, { keepOutput: 'failed' });
    const all = new JudgeRig(kind, { allTests: true });
    afterAll(() => Promise.all([rig.close(), all.close()]));
    const tests = [
        ['1', '1'],
        ['2', 'two'],
        ['3', '3'],
    ] as const;

    it('stops at the first test that is not passed', async () => {
        const result = await rig.result({ language: 'PYTHON3', source: ECHO, tests });
        expect(result.tests.map((test) => test.passed)).toEqual([true, false]);
        expect(result.tests[0]?.exec_info).toEqual({ status: 'Success' });
        expect(result.tests[1]).toMatchObject({
            verdict: 'WrongAnswer',
            exec_info: {
                status: 'Success',
                compile_result: null,
                run_result: { return_code: 0, stdout: '2\n' },
            },
        });
        expect(result.tests[1]?.exec_info.checker_message).toMatch(/two/);
    });

    it('goes on with --all-tests; the first verdict counts', async () => {
        const result = await all.result({ language: 'PYTHON3', source: ECHO, tests });
        expect(result.verdict).toBe('WrongAnswer');
        expect(result.tests.map((test) => test.passed)).toEqual([true, false, true]);
    });

    it('starts after the tests that an earlier attempt has judged', async () => {
        const first = await rig.result({ language: 'PYTHON3', source: ECHO, tests: [tests[0]] });
        const source = 'import sys\nx = input()\nprint("0" if x == "1" else x)\n';
        const confirmed = first.tests;
        const result = await rig.result({
            language: 'PYTHON3',
            source,
            tests: [tests[0], tests[2]],
            confirmed,
        });
        expect(result.verdict).toBe('Accepted');
        expect(result.tests).toHaveLength(2);
    });

    it('doubts CPU time just above the limit, and not when it confirms', async () => {
        const one = {
            language: 'PYTHON3',
            source: burn(1.15),
            tests: [['', 'done']],
            limits: { time: 1 },
        } as const;
        expect(inWords(await rig.run(one))).toBe('TimeLimitExceeded (near-time)');
        expect(inWords(await rig.run({ ...one, confirming: 'near-time' }))).toBe('TimeLimitExceeded');
        const more = await rig.run({ ...one, confirming: 'near-time', settles: false });
        expect(inWords(more)).toBe('TimeLimitExceeded (near-time)');
    });

    it('notes what came near the limit', async () => {
        const one = {
            language: 'PYTHON3',
            source: burn(1.9),
            tests: [['', 'done']],
            limits: { time: 2 },
        } as const;
        const result = await rig.result(one);
        expect(result).toMatchObject({
            verdict: 'Accepted',
            near_limit: true,
            tests: [{ near_limit: true }],
        });
    });

    it('names the test that failed', async () => {
        const tests = [
            ['', '3'],
            ['', '4'],
        ] as const;
        const result = await rig.result({ language: 'PYTHON3', source: 'print(3)\n', tests });
        expect(result.tests).toMatchObject([{ passed: true }, { passed: false, name: 'test-2' }]);
        expect(result.tests[0]).not.toHaveProperty('name');
    });

    it('doubts an unexplained signal once', async () => {
        const one = { language: 'PYTHON3', source: 'import os\nos.kill(os.getpid(), 15)\n' };
        expect(inWords(await rig.run(one))).toBe('RuntimeError (signal)');
        expect(inWords(await rig.run({ ...one, confirming: 'signal' }))).toBe('RuntimeError');
        // The confirmed suspicion was a different one.
        expect(await rig.run({ ...one, confirming: 'near-time' })).toMatchObject({ suspect: 'signal' });
    });

    it('judges output that is not UTF-8, and large output from a file', async () => {
        const bytes = await rig.result({
            language: 'PYTHON3',
            source: 'import sys\nsys.stdout.buffer.write(b"\\xff\\xfe")\n',
            tests: [['', 'x']],
        });
        expect(bytes.tests[0]?.exec_info.run_result?.stdout).toBe('\ufffd\ufffd');
        const large = 'abcdefg\n'.repeat(100_000);
        const limits = { output: 64 * MIB };
        const source = 'print("abcdefg\\n" * 100000)\n';
        expect(
            (await rig.result({ language: 'PYTHON3', source, tests: [['', large]], limits })).verdict,
        ).toBe('Accepted');
        const wrong = await rig.result({ language: 'PYTHON3', source, tests: [['', `${large}x`]], limits });
        expect(wrong.verdict).toBe('WrongAnswer');
        expect(wrong.tests[0]?.exec_info.run_result).toMatchObject({ stdout_cut: 800_001 });
    });

    it('ends at once when it is aborted', async () => {
        const controller = new AbortController();
        setTimeout(() => controller.abort(), 300);
        const started = Date.now();
        const source = 'import time\nwhile True: time.sleep(1)\n';
        const outcome = await rig.run(
            { language: 'PYTHON3', source, limits: { time: 100 } },
            controller.signal,
        );
        expect(outcome).toEqual({ kind: 'abort' });
        expect(Date.now() - started).toBeLessThan(patience(2000));
    });

    it('leaves no scratch files', async () => {
        await rig.close();
        expect(existsSync(join(rig.folder, 'scratch'))).toBe(false);
    });
});

describe('measuring', () => {
    const rig = new JudgeRig(kind, { keepOutput: 'all' });
    afterAll(() => rig.close());
    const first = (result: JudgeResult) => {
        const [test] = result.tests;
        if (test === undefined) throw new Error('no test');
        return { cpu: test.cpu_time ?? -1, wall: test.wall_time ?? -1, memory: test.memory ?? -1 };
    };

    it('counts CPU time, not wall time', async () => {
        const { cpu, wall } = first(
            await rig.result({ language: 'PYTHON3', source: 'import time\ntime.sleep(.5)\n' }),
        );
        expect(cpu).toBeLessThan(0.3);
        expect(wall).toBeGreaterThan(0.49);
    });

    it('counts the CPU time of children, waited for or not', async () => {
        const source = `import os, time
for i in range(2):
    if os.fork() == 0:
        while time.process_time() < 0.3: pass
        os._exit(0)
os.wait()
os.wait()
`;
        const { cpu } = first(await rig.result({ language: 'PYTHON3', source, limits: { time: 5 } }));
        expect(cpu).toBeGreaterThan(0.55);
        expect(cpu).toBeLessThan(1.2);
    });

    it('sees the peak of memory, and nothing of ours in it', async () => {
        const c = `#include <stdlib.h>
int main(void) {
    volatile char *p = malloc(100 << 20);
    for (int i = 0; i < 100 << 20; i += 4096) p[i] = 1;
    return 0;
}
`;
        const large = first(await rig.result({ language: 'C', source: c }));
        expect(large.memory / MIB).toBeGreaterThan(100);
        expect(large.memory / MIB).toBeLessThan(108);
        const small = first(await rig.result({ language: 'C', source: 'int main(void) { return 0; }\n' }));
        expect(small.memory / MIB).toBeLessThan(16);
    });

    it('adds up the memory of all processes', async () => {
        const source = `import os, time
for i in range(3):
    if os.fork() == 0:
        x = bytearray(b'x' * (40 << 20))
        time.sleep(1)
        os._exit(0)
time.sleep(.8)
`;
        const { memory } = first(await rig.result({ language: 'PYTHON3', source, limits: { time: 5 } }));
        expect(memory / MIB).toBeGreaterThan(110);
    });
});

describe('when the machinery breaks', () => {
    it('calls the death of the helper a failure, and starts another', async () => {
        // Other test files in this process have helpers too.
        const others = new Set(childrenOf(process.pid));
        const rig = new JudgeRig(kind);
        const innocent = { language: 'PYTHON3', source: 'print(1)\n', tests: [['', '1']] } as const;
        expect(inWords(await rig.run(innocent))).toBe('Accepted');
        const sleeping = rig.run({
            language: 'PYTHON3',
            source: 'import time\ntime.sleep(986.5)\n',
            limits: { time: 60 },
        });
        await new Promise((resolve) => setTimeout(resolve, 400));
        const started = childrenOf(process.pid).filter((pid) => !others.has(pid));
        expect(started.length).toBeGreaterThan(0);
        for (const pid of started) process.kill(pid, 'SIGKILL');
        expect(inWords(await sleeping)).toMatch(/^failure sandbox: the helper ended \(SIGKILL\)/);
        expect(inWords(await rig.run(innocent))).toBe('Accepted');
        await rig.close();
    });
});

/** Helpers that this process has started. */
function childrenOf(parent: number): number[] {
    return readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .filter((pid) => {
            try {
                const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
                const rest = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
                return Number(rest[1]) === parent && /\((resume-run-help|python3.*)\)/.test(stat);
            } catch {
                return false;
            }
        })
        .map(Number);
}

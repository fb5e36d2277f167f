import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { computeWallTime } from '../../src/executor/judge/limits.js';
import { probeSandbox } from '../../src/executor/sandbox/probe.js';
import { JudgeRig } from '../executor/judge/judging.js';
import { patience } from '../rig/slowness.js';
import { asValidator } from '../rig/validators.js';

/*
 * Programs that use little CPU time but wait long for it, on one processor with others that never leave it. The wall limit must
 * be extended by their waiting time, or the verdict would depend on the machine.
 */

const { kind } = await probeSandbox('auto');

/** Moves a program to the processor that all of these share, so that the test is the same on every machine. */
const SHARED = 'import os\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n';
const SPINNERS = 8;
/** Ends by itself if nothing else ends it. */
const SPIN = `${SHARED}import time\nend = time.time() + 180\nwhile time.time() < end: pass\n`;

let spinners: ChildProcess[] = [];
beforeEach(async () => {
    // In sessions of their own: where the kernel shares processors among sessions, each counts as much as the judged one.
    const options = { detached: true, stdio: 'ignore' } as const;
    spinners = Array.from({ length: SPINNERS }, () => spawn('python3', ['-c', SPIN], options));
    await new Promise((resolve) => setTimeout(resolve, 500));
});
afterEach(async () => {
    const ended = spinners.map((one) => new Promise((resolve) => one.once('exit', resolve)));
    for (const one of spinners) one.kill('SIGKILL');
    await Promise.all(ended);
});

/** 40 turns of 25 ms, taken in turn by several threads, while the main thread waits for them. */
const TOKEN = `${SHARED}import threading, time
turns = [threading.Event() for _ in range(4)]
def work(own):
    for _ in range(10):
        turns[own].wait()
        turns[own].clear()
        end = time.thread_time() + 0.025
        while time.thread_time() < end: pass
        turns[(own + 1) % 4].set()
threads = [threading.Thread(target=work, args=(own,)) for own in range(4)]
for thread in threads: thread.start()
turns[0].set()
for thread in threads: thread.join()
print("done")
`;

/** Uses half a second of CPU time for its answer. */
const THINKS = `${SHARED}import sys, time
sys.stdin.readline()
end = time.process_time() + 0.5
while time.process_time() < end: pass
print("yes", flush=True)
sys.exit(42 if sys.stdin.readline() == "thanks\\n" else 43)
`;

describe('on a busy processor', { timeout: patience(120_000) }, () => {
    const rig = new JudgeRig(kind);
    afterAll(() => rig.close());

    it('a program is given the time that all of its threads waited', async () => {
        const time = 1.6;
        const program = { language: 'PYTHON3', source: TOKEN, limits: { time } };
        const result = await rig.result({ ...program, tests: [['', 'done\n']] });
        expect(result).toMatchObject({ verdict: 'Accepted' });
        // Otherwise the test has not tried anything.
        expect(result.tests[0]?.wall_time).toBeGreaterThan(computeWallTime(time));
    });

    const hasPressure = existsSync('/proc/pressure/cpu');
    if (!hasPressure) console.log('skipped: talks on a busy processor: no /proc/pressure/cpu');
    it.skipIf(!hasPressure)('a talk is given the time that its validator waited', async () => {
        const time = 0.5;
        const result = await rig.result({
            language: 'PYTHON3',
            source: 'print("well?", flush=True)\ninput()\nprint("thanks", flush=True)\n',
            checker: asValidator(THINKS),
            problem: { interactive: true },
            tests: [['', '']],
            limits: { time },
        });
        expect(result).toMatchObject({ verdict: 'Accepted' });
        expect(result.tests[0]?.wall_time).toBeGreaterThan(computeWallTime(time));
    });
});

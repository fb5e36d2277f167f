import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSandboxFusion } from '../../../src/executor/servers/sandbox-fusion.js';
import type { TestResult } from '../../../src/model/entry.js';
import { digest } from '../../../src/model/fingerprint.js';
import type { CheckerProgram } from '../../../src/model/sample.js';
import type { Outcome, Task } from '../../../src/model/task.js';
import { FusionServer } from '../../rig/servers/fusion-server.js';
import { patience } from '../../rig/slowness.js';
import { brief, contextOf, fusion, stageSample, taskOf } from '../../rig/servers/submissions.js';

const main = [new FusionServer(), new FusionServer()];
const reserve = new FusionServer();
let stage = '';

beforeAll(async () => {
    await Promise.all([...main, reserve].map((server) => server.start()));
    stage = await stageSample([
        ['1\n', '1\n'],
        ['2\n', '2 done\n'],
    ]);
});
afterAll(async () => {
    await Promise.all([...main, reserve].map((server) => server.clean()));
});

const byOf = (outcome: Outcome): string =>
    outcome.kind === 'verdict' ? outcome.by.api_used : JSON.stringify(outcome);

function testsOf(outcome: Outcome): readonly TestResult[] {
    if (outcome.kind !== 'verdict' || !('tests' in outcome.result)) throw new Error(JSON.stringify(outcome));
    return outcome.result.tests as readonly TestResult[];
}

/** The second attempt, as a run makes it after a suspect first one. */
function confirming(task: Task, first: Outcome): Task {
    if (first.kind !== 'verdict' || first.suspect === null)
        throw new Error(`not suspect: ${JSON.stringify(first)}`);
    const confirmed = testsOf(first).slice(0, -1);
    return { ...task, attempt: task.attempt + 1, confirmed, confirming: first.suspect };
}

describe('a suspect result', () => {
    it('is confirmed by another endpoint, and two that agree make the verdict', async () => {
        const executor = createSandboxFusion(fusion(main.map((server) => server.url)));
        const limits = { time: 0.3, memory: 512 << 20, output: 1 << 20 };
        const task = taskOf(stage, 'PYTHON3', 'if int(input()) == 1: print(1)\nwhile True: pass', { limits });
        const first = await executor.run(task, contextOf());
        expect(brief(first), JSON.stringify(first)).toBe('suspect no-output');
        const second = await executor.run(confirming(task, first), contextOf());
        expect(brief(second)).toBe('TimeLimitExceeded');
        expect(byOf(second)).not.toBe(byOf(first));
        await executor.close();
    });

    it('goes to the reserve pool first; an endpoint that was blocked makes no verdict', async () => {
        const retryEndpoints = fusion([reserve.url]).endpoints;
        const executor = createSandboxFusion(
            fusion(
                main.map((server) => server.url),
                { retryEndpoints },
            ),
        );
        for (const server of main)
            server.misbehave = ({ body }) => (body.includes('2\\n') ? { kind: 'blocked' } : null);
        const task = taskOf(stage, 'PYTHON3', 'n = input()\nprint(n, "done" if n == "2" else "")');
        const first = await executor.run(task, contextOf());
        expect(brief(first)).toBe('suspect no-output');
        expect(testsOf(first).map((test) => test.passed)).toEqual([true, false]);
        const second = await executor.run(confirming(task, first), contextOf());
        expect(brief(second)).toBe('Accepted');
        expect(byOf(second)).toBe(reserve.url);
        expect(testsOf(second)).toHaveLength(2);
        // Only the test in doubt was run again.
        expect(reserve.seen.filter((path) => path === '/run_code')).toHaveLength(2);
        for (const server of main) server.misbehave = () => null;
        await executor.close();
    });

    it('starts at --first-timeout, and repeats only what is right so far', async () => {
        const urls = main.map((server) => server.url);
        const firstTimeout = patience(300) / 1000;
        const executor = createSandboxFusion(fusion(urls, { firstTimeout }));
        const limits = { time: 20, memory: 512 << 20, output: 1 << 20 };
        const slow = `import time\nn = input()\nprint(n, end=" ", flush=True)\nif n == "2": time.sleep(${2 * firstTimeout}); print("done")`;
        const right = taskOf(stage, 'PYTHON3', slow, { limits });
        const first = await executor.run(right, contextOf());
        expect(brief(first)).toBe('suspect first-timeout');
        expect(brief(await executor.run(confirming(right, first), contextOf()))).toBe('Accepted');
        const wrong = taskOf(stage, 'PYTHON3', slow.replace('print(n,', 'print("7",'), { limits });
        expect(brief(await executor.run(wrong, contextOf()))).toBe('WrongAnswer');
        const stuck = taskOf(stage, 'PYTHON3', 'input(); print("x", flush=True)\nwhile True: pass', {
            limits,
        });
        expect(brief(await executor.run(stuck, contextOf()))).toBe('TimeLimitExceeded');
        await executor.close();
    });
});

describe('checkers of servers', () => {
    it('run on this machine, also as programs', async () => {
        const text =
            'import sys\nout = open(sys.argv[2]).read().split()\nsys.exit(0 if out == ["yes"] else 1)\n';
        const checker: CheckerProgram = {
            kind: 'program',
            convention: 'testlib',
            language: 'PYTHON3',
            files: [{ name: 'check.py', content: { text, digest: digest(text) } }],
            flags: [],
            time: null,
            memory: null,
        };
        const scratch = await mkdtemp(join(tmpdir(), 'rig-scratch-'));
        const judged = await stageSample([['1\n', 'whatever\n']], checker);
        const executor = createSandboxFusion(
            fusion([main[0]?.url ?? ''], { scratch, compileCache: scratch }),
        );
        const run = async (source: string) =>
            brief(await executor.run(taskOf(judged, 'PYTHON3', source), contextOf()));
        expect(await run('print("yes")')).toBe('Accepted');
        expect(await run('print("no")')).toBe('WrongAnswer');
        await executor.close();
    });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createSandboxFusion } from '../../../src/executor/servers/sandbox-fusion.js';
import type { ServerExecutor } from '../../../src/executor/servers/server-executor.js';
import type { JudgeResult } from '../../../src/model/entry.js';
import type { Outcome, Task } from '../../../src/model/task.js';
import { sampled } from '../../rig/long.js';
import { FusionServer } from '../../rig/servers/fusion-server.js';
import { patience } from '../../rig/slowness.js';
import type { Fault } from '../../rig/servers/rig-server.js';
import { brief, checkTokens, contextOf, fusion, stageSample, taskOf } from '../../rig/servers/submissions.js';

const SUM = 'a, b = map(int, input().split())\nprint(a + b)\n';
const FAULTS: readonly Fault[] = [
    { kind: 'status', status: 500 },
    { kind: 'status', status: 503, headers: { 'retry-after-ms': '20' } },
    { kind: 'status', status: 429, headers: { 'retry-after-ms': '20' } },
    { kind: 'status', status: 429 },
    { kind: 'reset' },
    { kind: 'half' },
    { kind: 'not-json' },
    { kind: 'wrong-types' },
    { kind: 'sandbox-error' },
    { kind: 'huge', bytes: 600 << 20 },
    { kind: 'slow', ms: 50 },
];
const server = new FusionServer();
const other = new FusionServer();
let stage = '';
let executor: ServerExecutor | null = null;

beforeAll(async () => {
    await server.start();
    await other.start();
    stage = await stageSample([
        ['1 2\n', '3\n'],
        ['10 20\n', '30\n'],
        ['5 5\n', '10\n'],
    ]);
});
afterEach(async () => {
    await executor?.close();
    executor = null;
    for (const one of [server, other]) {
        one.misbehave = () => null;
        one.seen.length = 0;
    }
});
afterAll(async () => {
    await server.clean();
    await other.clean();
});

function run(task: Task, over: Parameters<typeof fusion>[1] = {}, urls = [server.url]): Promise<Outcome> {
    executor ??= createSandboxFusion(fusion(urls, over), { check: checkTokens });
    return executor.run(task, contextOf());
}

function resultOf(outcome: Outcome): JudgeResult {
    if (outcome.kind !== 'verdict') throw new Error(`no verdict: ${JSON.stringify(outcome)}`);
    return outcome.result as JudgeResult;
}

describe.each(['run_code', 'submit'] as const)('sandbox-fusion by %s', (api) => {
    it('accepts what is right, and names the endpoint', async () => {
        const outcome = await run(taskOf(stage, 'PYTHON3', SUM), { api });
        expect(outcome).toMatchObject({
            kind: 'verdict',
            verdict: 'Accepted',
            suspect: null,
            by: { api_used: server.url },
        });
        const { tests } = resultOf(outcome);
        expect(tests).toHaveLength(3);
        expect(tests[0]).toMatchObject({
            passed: true,
            cpu_time: null,
            memory: null,
            exec_info: { status: 'Success' },
        });
        expect(tests[0]?.exec_info).not.toHaveProperty('run_result');
        expect(server.seen.filter((path) => path === `/${api}`)).toHaveLength(api === 'submit' ? 2 : 4);
    });

    it('stops at the first test that is not passed, and keeps its output', async () => {
        const result = resultOf(await run(taskOf(stage, 'PYTHON3', 'input(); print(3)'), { api }));
        expect(result).toMatchObject({ accepted: false, verdict: 'WrongAnswer' });
        expect(result.tests).toHaveLength(2);
        expect(result.tests[1]).toMatchObject({
            passed: false,
            verdict: 'WrongAnswer',
            exec_info: {
                status: 'Success',
                run_result: { status: 'Finished', return_code: 0, stdout: '3\n' },
            },
        });
    });

    it('goes on with --all-tests', async () => {
        const result = resultOf(
            await run(taskOf(stage, 'PYTHON3', 'input(); print(3)'), { api, allTests: true }),
        );
        expect(result.tests.map((test) => test.passed)).toEqual([true, false, false]);
        expect(result.verdict).toBe('WrongAnswer');
    });

    it('adapts programs written for Windows judges, and says so', async () => {
        const source =
            '#include <stdio.h>\nvoid main() { __int64 a, b; scanf("%I64d%I64d", &a, &b); printf("%I64d", a + b); return; }';
        const result = resultOf(await run(taskOf(stage, 'CPP', source), { api }));
        expect(result).toMatchObject({
            verdict: 'Accepted',
            adapted: ['i64-format', 'void-main', 'windows-words'],
        });
    });

    it('tells run-time errors and compile errors from wrong answers', async () => {
        const crash = resultOf(await run(taskOf(stage, 'PYTHON3', 'raise SystemExit(3)'), { api }));
        expect(crash.verdict).toBe('RuntimeError');
        expect(crash.tests[0]?.exec_info.run_result).toMatchObject({ status: 'Error', return_code: 3 });
        const typo = resultOf(await run(taskOf(stage, 'CPP', 'int main() { return x; }'), { api }));
        expect(typo.verdict).toBe('CompileError');
        expect(typo.tests[0]?.exec_info.run_result).toBeNull();
        expect(typo.tests[0]?.exec_info.compile_result?.stderr).toContain('x');
        const fault = resultOf(
            await run(taskOf(stage, 'CPP', 'int main() { *(volatile int*)0 = 1; }'), { api }),
        );
        expect(fault.tests[0]?.exec_info.run_result?.signal).toBe('SIGSEGV');
    });

    it('calls a time-out with some output final, and one without suspect', async () => {
        const limits = { time: 0.4, memory: 512 << 20, output: 1 << 20 };
        const loud = taskOf(stage, 'PYTHON3', 'print(1, flush=True)\nwhile True: pass', {
            // Allows time to start on a busy machine.
            limits: { ...limits, time: patience(600) / 1000 },
        });
        expect(brief(await run(loud, { api }))).toBe('TimeLimitExceeded');
        const silent = taskOf(stage, 'PYTHON3', 'while True: pass', { limits });
        const first = await run(silent, { api });
        expect(brief(first)).toBe('suspect no-output');
        const second = await run({ ...silent, attempt: 2, confirming: 'no-output' }, { api });
        expect(brief(second)).toBe('TimeLimitExceeded');
    });

    // Both APIs use the same HTTP client.
    it.each(api === 'run_code' ? FAULTS : sampled(FAULTS, 4))('survives %j', async (fault) => {
        let left = 1;
        const one = await stageSample([['1 2\n', '3\n']]);
        executor = createSandboxFusion(fusion([server.url], { api }), { check: checkTokens });
        expect(brief(await run(taskOf(one, 'PYTHON3', SUM)))).toBe('Accepted');
        server.misbehave = () => (left-- > 0 ? fault : null);
        expect(brief(await run(taskOf(one, 'PYTHON3', SUM)))).toBe('Accepted');
    });

    it('never makes a verdict of a broken endpoint', async () => {
        executor = createSandboxFusion(fusion([server.url], { api, endpointWait: 1 }), {
            check: checkTokens,
        });
        expect(brief(await run(taskOf(stage, 'PYTHON3', SUM)))).toBe('Accepted');
        server.misbehave = () => ({ kind: 'sandbox-error' });
        const outcome = await run(taskOf(stage, 'PYTHON3', 'print("wrong")'));
        expect(outcome).toMatchObject({ kind: 'failure', failure: { reason: 'endpoint' } });
    });

    it('says which field a server rejects, and does not try again', async () => {
        const body = JSON.stringify({
            detail: [{ loc: ['body', 'run_timeout'], msg: 'Input should be less' }],
        });
        server.misbehave = ({ body: sent }) =>
            sent.includes('special') ? { kind: 'status', status: 422, body } : null;
        const outcome = await run(taskOf(stage, 'PYTHON3', `# special\n${SUM}`), { api });
        expect(outcome).toMatchObject({
            kind: 'failure',
            failure: {
                reason: 'refused',
                status: 422,
                message: 'HTTP 422: body.run_timeout: Input should be less',
            },
        });
        expect(brief(await run(taskOf(stage, 'PYTHON3', SUM)))).toBe('Accepted');
    });

    it('says at once that all endpoints refuse our requests', async () => {
        server.misbehave = () => ({ kind: 'status', status: 401 });
        const outcome = await run(taskOf(stage, 'PYTHON3', SUM), { api });
        expect(outcome).toMatchObject({ kind: 'failure' });
        expect(JSON.stringify(outcome)).toContain('HTTP 401');
    });

    it('closes the request when it is aborted', async () => {
        executor = createSandboxFusion(fusion([server.url], { api }), { check: checkTokens });
        expect(brief(await run(taskOf(stage, 'PYTHON3', SUM)))).toBe('Accepted');
        server.misbehave = () => ({ kind: 'hang' });
        const before = server.abandoned;
        const controller = new AbortController();
        const running = executor.run(taskOf(stage, 'PYTHON3', SUM), contextOf(controller.signal));
        setTimeout(() => controller.abort(), 100);
        expect(brief(await running)).toBe('abort');
        await expect.poll(() => server.abandoned).toBe(before + 1);
        expect(executor.endpoints()[0]).toMatchObject({ inFlight: 0, failures: 0 });
    });
});

import { spawnSync } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import { createSandboxFusion } from '../../../src/executor/servers/sandbox-fusion.js';
import type { ServerExecutor } from '../../../src/executor/servers/server-executor.js';
import type { SandboxFusionDescriptor } from '../../../src/executor/servers/sandbox-fusion-kind.js';
import type { JudgeResult } from '../../../src/model/entry.js';
import type { Outcome, Task } from '../../../src/model/task.js';
import { patience } from '../../rig/slowness.js';
import { type FusionSetup, FusionServer } from '../../rig/servers/fusion-server.js';
import type { RunEnding } from '../../rig/servers/rig-server.js';
import { brief, checkTokens, contextOf, fusion, stageSample, taskOf } from '../../rig/servers/submissions.js';

/*
 * Faults seen on real servers, each of which once led to a false verdict.
 */

const MIB = 1024 * 1024;
const servers: FusionServer[] = [];
const executors: ServerExecutor[] = [];

async function serve(setup: FusionSetup = {}): Promise<FusionServer> {
    const server = await new FusionServer(setup).start();
    servers.push(server);
    return server;
}

function judgeOn(
    urls: readonly string[],
    over: Partial<SandboxFusionDescriptor> = {},
    warned: (message: string) => void = () => {},
): ServerExecutor {
    const hooks = { warned };
    const executor = createSandboxFusion(fusion(urls, over), { check: checkTokens, hooks });
    executors.push(executor);
    return executor;
}

afterAll(async () => {
    await Promise.all(executors.map((executor) => executor.close()));
    await Promise.all(servers.map((server) => server.clean()));
});

const sum = await stageSample([['1 2\n', '3\n']]);
const SUM_RUST = `use std::io::*;
fn main() { let mut s = String::new(); stdin().read_to_string(&mut s).unwrap();
    println!("{}", s.split_whitespace().map(|x| x.parse::<i64>().unwrap()).sum::<i64>()); }`;
const SUM_CPP =
    '#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b << "\\n"; }\n';
const SUM_NODE =
    'const [a, b] = require("fs").readFileSync(0, "utf8").split(" ").map(Number);\nconsole.log(a + b);\n';
const THREAD_CPP = `#include <iostream>
#include <thread>
int main() { int a, b; std::cin >> a >> b; std::thread t([&] { std::cout << a + b << "\\n"; }); t.join(); }`;
const THREAD_PYTHON = `import threading
a, b = map(int, input().split())
t = threading.Thread(target=lambda: print(a + b)); t.start(); t.join()`;
const BIG_PYTHON = 'x = bytearray(600 << 20)\nprint(sum(map(int, input().split())))';
const BIG_CPP = `#include <iostream>
#include <vector>
int main() { std::vector<char> v(600u << 20, 1); int a, b; std::cin >> a >> b; std::cout << a + b + v[7] - 1; }`;

const hasRust = spawnSync('rustc', ['--version']).status === 0;
if (!hasRust) process.stdout.write('skipped: Rust on SandboxFusion: rustc is not installed\n');

async function verdict(executor: ServerExecutor, task: Task): Promise<string> {
    const outcome = await executor.run(task, contextOf());
    return brief(outcome) === 'failure endpoint' ? JSON.stringify(outcome) : brief(outcome);
}

function testsOf(outcome: Outcome): JudgeResult['tests'] {
    if (outcome.kind !== 'verdict') throw new Error(JSON.stringify(outcome));
    return (outcome.result as JudgeResult).tests;
}

const memoryLimits = (server: FusionServer): unknown[] =>
    server.bodies.map((body) => (body as { memory_limit_MB: unknown }).memory_limit_MB);

describe.concurrent('a memory limit', () => {
    it('is not sent unless --memory-limit is given', async () => {
        const server = await serve();
        const executor = judgeOn([server.url]);
        expect(await verdict(executor, taskOf(sum, 'CPP', THREAD_CPP))).toBe('Accepted');
        const big = await executor.run(taskOf(sum, 'PYTHON3', BIG_PYTHON), contextOf());
        expect(big).toMatchObject({ verdict: 'Accepted', limits: { memory: null } });
        if (hasRust) expect(await verdict(executor, taskOf(sum, 'RUST', SUM_RUST))).toBe('Accepted');
        expect(new Set(memoryLimits(server))).toEqual(new Set([-1]));
    });

    it('that was given makes no CompileError, and threads still start', async () => {
        const server = await serve();
        const small = judgeOn([server.url], { memoryLimit: 64 * MIB });
        expect(await verdict(small, taskOf(sum, 'CPP', SUM_CPP))).toBe('Accepted');
        const executor = judgeOn([server.url], { memoryLimit: 256 * MIB });
        expect(await verdict(executor, taskOf(sum, 'CPP', THREAD_CPP))).toBe('Accepted');
        expect(await verdict(executor, taskOf(sum, 'PYTHON3', THREAD_PYTHON))).toBe('Accepted');
        const refused = await executor.run(taskOf(sum, 'CPP', 'int main() { return x; }'), contextOf());
        // It also failed without the limit, so the entry must not say that a limit was enforced.
        expect(refused).toMatchObject({ verdict: 'CompileError', limits: { memory: null } });
        // Node reserves memory without using it, so it always runs without a limit.
        const before = server.bodies.length;
        expect(await verdict(executor, taskOf(sum, 'JAVASCRIPT', SUM_NODE))).toBe('Accepted');
        expect(memoryLimits(server).slice(before)).toEqual([-1]);
        if (hasRust) expect(await verdict(executor, taskOf(sum, 'RUST', SUM_RUST))).toBe('Accepted');
    });

    it('that a program runs into is MemoryLimitExceeded', async () => {
        const executor = judgeOn([(await serve()).url], { memoryLimit: 256 * MIB });
        const big = await executor.run(taskOf(sum, 'PYTHON3', BIG_PYTHON), contextOf());
        expect(big).toMatchObject({ verdict: 'MemoryLimitExceeded' });
        expect(big).not.toHaveProperty('limits');
        expect(await verdict(executor, taskOf(sum, 'CPP', BIG_CPP))).toBe('MemoryLimitExceeded');
        // It fails in the same way deliberately, without hitting a limit.
        const faking = 'import sys\nsys.stderr.write("MemoryError\\n")\nsys.exit(1)';
        const unlimited = judgeOn([(await serve()).url]);
        expect(await verdict(unlimited, taskOf(sum, 'PYTHON3', faking))).toBe('RuntimeError');
    });

    it('that a server cannot set is left out there, with one warning', async () => {
        const server = await serve({ hardStack: 8 * MIB });
        const warnings: string[] = [];
        const executor = judgeOn(
            [server.url],
            { memoryLimit: 512 * MIB },
            (text) => void warnings.push(text),
        );
        for (const program of ['print(3)', 'print(2 + 1)', 'print(4)']) {
            await executor.run(taskOf(sum, 'PYTHON3', program), contextOf());
        }
        expect(await verdict(executor, taskOf(sum, 'PYTHON3', 'print(5)'))).toBe('WrongAnswer');
        expect(executor.endpoints()[0]).toMatchObject({ state: 'healthy', failures: 0 });
        expect(warnings).toHaveLength(1);
        expect(warnings[0]).toContain('--memory-limit');
        expect(memoryLimits(server).filter((limit) => limit !== -1)).toHaveLength(1);
    });
});

describe.concurrent.each(['run_code', 'submit'] as const)('output that a server loses, by %s', (api) => {
    const print = (count: number, line: string) => `for i in range(${count}): print("${line}", flush=True)`;
    const expectedOf = (count: number, line: string) => `${line}\n`.repeat(count);
    const NAMED = /loses output: a probe printed 307200 bytes.* 219264 arrived.*--retry-endpoint/;

    it('is a failure that names the endpoint, however it is told of', async () => {
        const server = await serve();
        const executor = judgeOn([server.url], { api });
        const limits = { time: patience(750) / 1000, memory: null, output: 64 * MIB };
        const lines = await stageSample([['', expectedOf(30_000, 'abcdefghi')]]);
        const oneWrite = await stageSample([['', 'x'.repeat(400_000)]]);
        const wide = await stageSample([['', '\u20AC'.repeat(100_000)]]);
        const shifted = await stageSample([['', `a${'\u20AC'.repeat(100_000)}`]]);
        for (const [stage, program] of [
            [lines, print(30_000, 'abcdefghi')],
            [oneWrite, 'print("x" * 400000)'],
            [wide, 'print(chr(0x20AC) * 100000)'],
            [shifted, 'print("a" + chr(0x20AC) * 100000)'],
        ] as const) {
            const outcome = await executor.run(taskOf(stage, 'PYTHON3', program, { limits }), contextOf());
            expect(outcome, program).toMatchObject({
                kind: 'failure',
                failure: { reason: 'endpoint', message: expect.stringMatching(NAMED) },
            });
        }
        // This was found out once for all tasks.
        const probes = server.bodies.filter((body) => JSON.stringify(body).includes('0123456789abcde'));
        expect(probes).toHaveLength(1);
    });

    it('is judged elsewhere, where an endpoint keeps it', async () => {
        const [original, fork] = [await serve(), await serve({ variant: 'fork' })];
        const stage = await stageSample([['', 'x'.repeat(400_000)]]);
        const executor = judgeOn([original.url], { api, retryEndpoints: fusion([fork.url]).endpoints });
        const right = await executor.run(taskOf(stage, 'PYTHON3', 'print("x" * 400000)'), contextOf());
        expect(brief(right), JSON.stringify(right)).toBe('Accepted');
        expect(right).toMatchObject({ by: { api_used: fork.url } });
        // The program itself printed too little: the endpoint that keeps output is trusted, and the entry is not flagged.
        const short = await executor.run(taskOf(stage, 'PYTHON3', 'print("x" * 300000)'), contextOf());
        expect(brief(short), JSON.stringify(short).slice(0, 500)).toBe('WrongAnswer');
        expect(testsOf(short)[0]?.exec_info).not.toHaveProperty('truncated');
    });

    it('is no doubt about what came before it', async () => {
        const { url } = await serve();
        const executor = judgeOn([url], { api });
        const stage = await stageSample([['', expectedOf(40_000, 'abcdefghi')]]);
        const wrong = await executor.run(taskOf(stage, 'PYTHON3', 'print("y" * 400000)'), contextOf());
        expect(brief(wrong)).toBe('WrongAnswer');
        expect(testsOf(wrong)[0]?.exec_info.truncated).toBe(true);
        // Small output is never lost.
        const small = taskOf(stage, 'PYTHON3', 'print("abcdefghi")');
        expect(brief(await executor.run(small, contextOf()))).toBe('WrongAnswer');
        // A blocked program: with a short limit the time-out proves nothing, however wrong the output is.
        const blocked = taskOf(stage, 'PYTHON3', print(40_000, 'zbcdefghi'));
        const hurried = judgeOn([url], { api, firstTimeout: patience(700) / 1000 });
        expect(brief(await hurried.run(blocked, contextOf()))).toBe('suspect first-timeout');
    });

    it('is not UTF-8: compared where the endpoint keeps output, or text cannot be right', async () => {
        const bytes = 'import sys; sys.stdout.buffer.write(bytes([255]) * 10)';
        for (const variant of ['original', 'fork'] as const) {
            const executor = judgeOn([(await serve({ variant })).url], { api });
            expect(await verdict(executor, taskOf(sum, 'PYTHON3', bytes))).toBe('WrongAnswer');
        }
    });
});

describe.concurrent('/submit', () => {
    it('judges what it would misread by another way', async () => {
        const server = await serve();
        const executor = judgeOn([server.url], { api: 'submit' });
        const java = `import java.util.*;
public class Sol { public static void main(String[] x) { Scanner s = new Scanner(System.in); System.out.println(s.nextInt() + s.nextInt()); } }`;
        expect(await verdict(executor, taskOf(sum, 'JAVA', java))).toBe('Accepted');
        const fenced = `"""
\`\`\`python
print("\\u00e9 \u{1F600} \u4E2D")
\`\`\`
"""
assert __doc__.split("(")[1][1:6] == "\\u00e9 \u{1F600} \u4E2D", __doc__
print(sum(map(int, input().split())))`;
        expect(await verdict(executor, taskOf(sum, 'PYTHON3', fenced))).toBe('Accepted');
        expect(server.seen).toContain('/run_code');
    });

    it('takes no verdict from an answer without tests', async () => {
        const server = await serve();
        const body = JSON.stringify({ id: 'x', accepted: true, extracted_code: '', tests: [] });
        const executor = judgeOn([server.url], { api: 'submit', endpointWait: 1 });
        server.misbehave = ({ body: sent }) =>
            sent.includes('# special') ? { kind: 'status', status: 200, body } : null;
        expect(brief(await executor.run(taskOf(sum, 'PYTHON3', '# special'), contextOf()))).toBe(
            'failure endpoint',
        );
    });
});

const TROUBLE: readonly (readonly [string, RunEnding])[] = [
    ['command not found', { return_code: 127, stderr: '/bin/bash: python: command not found\n' }],
    ['no fork', { return_code: 254, stderr: '/bin/bash: fork: Resource temporarily unavailable\n' }],
    ['no space', { return_code: 1, stderr: "OSError: [Errno 28] No space left on device: '/tmp/x'\n" }],
    ['killed', { return_code: 137, stderr: 'Killed\n' }],
];

describe.concurrent.each(['run_code', 'submit'] as const)('trouble told through a program, by %s', (api) => {
    it('is not a verdict at first sight', async () => {
        const server = await serve();
        const executor = judgeOn([server.url], { api });
        for (const [name, result] of TROUBLE) {
            server.misbehave = ({ body }) => (body.includes('# case') ? { kind: 'run', result } : null);
            const task = taskOf(sum, 'PYTHON3', '# case');
            // A hello-world runs, so it may be the program's own fault, which a second attempt confirms.
            expect(brief(await executor.run(task, contextOf())), name).toBe('suspect machine');
            const again = { ...task, attempt: 2, confirming: 'machine' } as const;
            expect(await verdict(executor, again), name).toBe('RuntimeError');
        }
    });

    it('does not come of the limit on digits that Python did not have', async () => {
        const program =
            'from __future__ import annotations\nassert len(str(10**5000)) == 5001\nprint(sum(map(int, input().split())))';
        const executor = judgeOn([(await serve()).url], { api });
        expect(await verdict(executor, taskOf(sum, 'PYTHON3', program))).toBe('Accepted');
    });

    it('is not a failure for ever where a compiler quotes it', async () => {
        const executor = judgeOn([(await serve()).url], { api });
        const source = '#include <cstdio>\nint main() { puts("bash: g++: command not found") }\n';
        const task = taskOf(sum, 'CPP', source);
        expect(brief(await executor.run(task, contextOf()))).toBe('suspect machine');
        const again = { ...task, attempt: 2, confirming: 'machine' } as const;
        expect(await verdict(executor, again)).toBe('CompileError');
    });

    it('is the fault of an endpoint on which a hello-world fails too', async () => {
        const [ill, well] = [await serve(), await serve()];
        const [[, result]] = TROUBLE as [(typeof TROUBLE)[number]];
        let probes = 0;
        ill.misbehave = ({ body }) => {
            if (!body.includes('# case') && probes++ === 0) return null;
            return { kind: 'run', result };
        };
        const program = '# case\nprint(sum(map(int, input().split())))';
        const task = taskOf(sum, 'PYTHON3', program);
        // The pool's first choice is faulty; none of its answers may become a verdict.
        const outcome = await judgeOn([ill.url, well.url], { api }).run(task, contextOf());
        expect(brief(outcome), JSON.stringify(outcome)).toBe('Accepted');
        expect(outcome).toMatchObject({ by: { api_used: well.url } });
    });
});

describe.concurrent('a module or header that an endpoint lacks', () => {
    it('is a failure of the environment, not a verdict', async () => {
        const executor = judgeOn([(await serve()).url]);
        for (const [language, program] of [
            ['PYTHON3', 'import no_such_module_anywhere\nprint(3)'],
            ['CPP', '#include <no/such/header.hpp>\nint main() {}'],
            ['JAVASCRIPT', "require('no-such-module-anywhere')"],
        ] as const) {
            const outcome = await executor.run(taskOf(sum, language, program), contextOf());
            expect(brief(outcome), JSON.stringify(outcome)).toBe('failure environment');
        }
        // The message alone proves nothing.
        const faking = 'import sys\nsys.exit("ModuleNotFoundError: No module named \'json\'") # import json';
        expect(await verdict(executor, taskOf(sum, 'PYTHON3', faking))).toBe('RuntimeError');
    });
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ServerExecutor } from '../../src/executor/servers/server-executor.js';
import type { Outcome, Task } from '../../src/model/task.js';
import { brief, contextOf, stageSample, taskOf } from '../rig/servers/submissions.js';
import { LONG, sampled } from '../rig/long.js';
import { patience } from '../rig/slowness.js';

/** A server executor under test. */
export interface SandboxServerSubject {
    /** Builds the executor over running servers. */
    readonly create: () => Promise<ServerExecutor>;
    readonly close: () => Promise<void>;
    /** Tags of the languages that the servers run. */
    readonly languages: readonly string[];
    /** What the servers can do: enforce a memory limit, report that it was hit, measure CPU time. */
    readonly limitsMemory: boolean;
    readonly tellsMemory: boolean;
    readonly tellsCpu: boolean;
    /**
     * The short form judges every program on servers of one kind only. On servers with this flag it judges the correct ones and a
     * sample of the others.
     */
    readonly isSampled?: true;
}

interface Case {
    readonly name: string;
    readonly language: string;
    readonly source: string;
    readonly verdict: string;
    /** The verdict if the server cannot measure what decides it. */
    readonly otherwise?: string;
    /** What the server must measure to give `verdict`. */
    readonly needs?: 'memory' | 'cpu';
    /** Ends only by a time or output limit. */
    readonly endless?: true;
    /** A source for servers that only measure wall time: it behaves the same but leaves the processor to others. */
    readonly idle?: string;
}

const SUM_CPP =
    '#include <cstdio>\nint main() { long long a, b; scanf("%lld %lld", &a, &b); printf("%lld\\n", a + b); }\n';

/** The same small dataset for every server: a program that one calls Accepted must not be WrongAnswer on another. */
const CASES: readonly Case[] = [
    {
        name: 'right',
        language: 'PYTHON3',
        source: 'a, b = map(int, input().split())\nprint(a + b)',
        verdict: 'Accepted',
    },
    { name: 'right', language: 'CPP', source: SUM_CPP, verdict: 'Accepted' },
    {
        name: 'right, main class of another name',
        language: 'JAVA',
        source: 'import java.util.*;\npublic class Adder { public static void main(String[] x) { Scanner s = new Scanner(System.in); System.out.println(s.nextLong() + s.nextLong()); } }',
        verdict: 'Accepted',
    },
    {
        name: 'right, in the encoding that it declares',
        language: 'PYTHON3',
        source: "# -*- coding: latin-1 -*-\na, b = map(int, input().split())\nprint(a + b if len('caf\u00e9') == 4 else 0)",
        verdict: 'Accepted',
    },
    {
        name: 'wrong on the second test',
        language: 'PYTHON3',
        source: 'input()\nprint(3)',
        verdict: 'WrongAnswer',
    },
    { name: 'prints nothing', language: 'PYTHON3', source: 'input()', verdict: 'WrongAnswer' },
    {
        name: 'crashes',
        language: 'CPP',
        source: 'int main() { *(volatile int*)0 = 1; }',
        verdict: 'RuntimeError',
    },
    { name: 'exits with 3', language: 'PYTHON3', source: 'raise SystemExit(3)', verdict: 'RuntimeError' },
    {
        name: 'right, but exits with 1',
        language: 'PYTHON3',
        source: 'a, b = map(int, input().split())\nprint(a + b)\nraise SystemExit(1)',
        verdict: 'RuntimeError',
    },
    {
        name: 'does not compile',
        language: 'CPP',
        source: 'int main() { return x; }',
        verdict: 'CompileError',
    },
    {
        name: 'does not compile',
        language: 'JAVA',
        source: 'public class Main { int x = "y"; }',
        verdict: 'CompileError',
    },
    {
        name: 'loops after some output',
        endless: true,
        language: 'PYTHON3',
        source: 'print(1, flush=True)\nwhile True: pass',
        idle: 'import time\nprint(1, flush=True)\ntime.sleep(60)',
        verdict: 'TimeLimitExceeded',
    },
    {
        name: 'loops without output',
        endless: true,
        language: 'CPP',
        source: 'int main() { volatile unsigned x = 0; for (;;) x = x + 1; }',
        idle: '#include <unistd.h>\nint main() { sleep(60); }',
        verdict: 'TimeLimitExceeded',
        needs: 'cpu',
        otherwise: 'suspect no-output',
    },
    {
        name: 'takes too much memory',
        language: 'CPP',
        source: '#include <cstring>\nchar* volatile p;\nint main() { for (;;) { p = new char[1 << 20]; memset(p, 1, 1 << 20); } }',
        verdict: 'MemoryLimitExceeded',
        needs: 'memory',
    },
    {
        name: 'prints too much',
        endless: true,
        language: 'CPP',
        source: '#include <cstdio>\nint main() { for (int i = 0; i < 100000; i++) puts("a line that says nothing at all, often"); }',
        verdict: 'OutputLimitExceeded',
        needs: 'cpu',
        otherwise: 'TimeLimitExceeded',
    },
];

/** Cases that only a server with the needed measurements can tell apart. */
const MEASURED_CASES: readonly Case[] = [
    {
        name: 'prints for ever',
        endless: true,
        language: 'PYTHON3',
        source: 'while True: print("a line that says nothing")',
        verdict: 'OutputLimitExceeded',
    },
    {
        name: 'prints for ever and does not look whether anybody reads',
        endless: true,
        language: 'CPP',
        source: '#include <cstdio>\n#include <csignal>\nint main() { signal(SIGPIPE, SIG_IGN); for (;;) puts("a line that says nothing"); }',
        verdict: 'OutputLimitExceeded',
    },
];

/** Number of failing programs, out of about a dozen, that the short form judges on every kind of server. */
const SAMPLED = 4;

/** The contract of every executor over sandbox servers. */
export function sandboxServerSuite(subject: SandboxServerSubject): void {
    let executor: ServerExecutor;
    let stage = '';
    const limits = { time: 1, memory: 128 << 20, output: 1 << 20 };
    const run = (task: Task, signal?: AbortSignal): Promise<Outcome> => executor.run(task, contextOf(signal));

    beforeAll(async () => {
        executor = await subject.create();
        stage = await stageSample([
            ['1 2\n', '3\n'],
            ['10 20\n', '30\n'],
            ['123456789012 1\n', '123456789013\n'],
        ]);
    });
    afterAll(async () => {
        await executor.close();
        await subject.close();
    });

    const fitting = [...CASES, ...(subject.tellsCpu ? MEASURED_CASES : [])].filter(
        ({ language, needs }) =>
            subject.languages.includes(language) && (needs !== 'memory' || subject.limitsMemory),
    );
    const isRight = ({ verdict }: Case): boolean => verdict === 'Accepted';
    const wrong = fitting.filter((one) => !isRight(one));
    const others = subject.isSampled ? sampled(wrong, SAMPLED) : wrong;
    for (const one of [...fitting.filter(isRight), ...others]) {
        const able =
            one.needs === undefined || (one.needs === 'cpu' ? subject.tellsCpu : subject.tellsMemory);
        const expected = able ? one.verdict : (one.otherwise ?? one.verdict);
        it(`${one.language} that ${one.name}: ${expected}`, async () => {
            const memory = one.language === 'JAVA' ? 512 << 20 : limits.memory;
            // Only programs that must hit the limit get a low one, so that no verdict depends on the load of this machine. Where
            // wall time decides, a program needs time to start on a busy machine.
            const short = subject.tellsCpu ? 0.5 : patience(500) / 1000;
            const source = subject.tellsCpu ? one.source : (one.idle ?? one.source);
            const generous = { ...limits, memory, time: one.endless === true ? short : 20 };
            const task = taskOf(stage, one.language, source, { limits: generous });
            let outcome = await run(task);
            // Under load the wall limit may be reached before the CPU time is conclusive: judge once more, as a run does.
            if (brief(outcome) === 'suspect near-time') {
                outcome = await run({ ...task, attempt: 2, confirming: 'near-time' });
            }
            expect(brief(outcome), JSON.stringify(outcome)).toBe(expected);
        });
    }

    it('measures what it can', async () => {
        const outcome = await run(taskOf(stage, 'CPP', SUM_CPP, { limits: { ...limits, time: 20 } }));
        if (outcome.kind !== 'verdict' || !('tests' in outcome.result))
            throw new Error(JSON.stringify(outcome));
        const figure = (known: boolean) => (known ? expect.any(Number) : null);
        expect(outcome.result.tests).toEqual(
            Array.from({ length: 3 }, () => ({
                passed: true,
                cpu_time: figure(subject.tellsCpu),
                wall_time: expect.any(Number),
                memory: figure(subject.tellsMemory),
                exec_info: { status: 'Success' },
            })),
        );
        expect(outcome.by.api_used).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    });

    it('goes on from the test whose verdict is to be confirmed', async () => {
        const passed = {
            passed: true,
            cpu_time: 0.5,
            wall_time: 0.5,
            memory: 1,
            exec_info: { status: 'Success' },
        } as const;
        const task = taskOf(stage, 'PYTHON3', 'a, b = map(int, input().split())\nprint(a + b)', {
            limits: { ...limits, time: 20 },
            attempt: 2,
            confirmed: [passed, passed],
            confirming: 'near-time',
        });
        const outcome = await run(task);
        expect(brief(outcome)).toBe('Accepted');
        if (outcome.kind !== 'verdict' || !('tests' in outcome.result)) throw new Error('no tests');
        expect(outcome.result.tests).toHaveLength(3);
        expect((outcome.result.tests as unknown[])[0]).toEqual(passed);
    });

    it('runs many at once, each by itself', async () => {
        const verdicts = await Promise.all(
            Array.from({ length: LONG ? 24 : 9 }, async (_, index) => {
                const wrong = index % 3 === 0;
                const source = `a, b = map(int, input().split())\nprint(a + b${wrong ? ' + 1' : ''})  # ${index % 4}`;
                return brief(
                    await run(taskOf(stage, 'PYTHON3', source, { limits: { ...limits, time: 10 } })),
                );
            }),
        );
        expect(verdicts).toEqual(verdicts.map((_, index) => (index % 3 === 0 ? 'WrongAnswer' : 'Accepted')));
    });

    it('ends at once when it is aborted', async () => {
        const controller = new AbortController();
        const task = taskOf(stage, 'PYTHON3', 'while True: pass', { limits: { ...limits, time: 100 } });
        const running = run(task, controller.signal);
        setTimeout(() => controller.abort(), 300);
        const started = performance.now();
        expect(brief(await running)).toBe('abort');
        expect(performance.now() - started).toBeLessThan(patience(1500));
        // Over a queue the slot is released by a separate message.
        await expect
            .poll(() => executor.endpoints().map(({ inFlight }) => inFlight), { timeout: patience(1000) })
            .toEqual(executor.endpoints().map(() => 0));
    });
}

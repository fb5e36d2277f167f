import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createGoJudge } from '../../../src/executor/servers/go-judge.js';
import { createSandboxFusion } from '../../../src/executor/servers/sandbox-fusion.js';
import type { ServerExecutor, ServerParts } from '../../../src/executor/servers/server-executor.js';
import { tempDir } from '../../rig/cli.js';
import { LONG } from '../../rig/long.js';
import { FusionServer } from '../../rig/servers/fusion-server.js';
import { GoJudgeServer } from '../../rig/servers/go-judge-server.js';
import type { Fault, RigServer } from '../../rig/servers/rig-server.js';
import {
    brief,
    checkTokens,
    contextOf,
    fusion,
    goJudge,
    stageSample,
    taskOf,
} from '../../rig/servers/submissions.js';
import { patience } from '../../rig/slowness.js';

interface Kind {
    readonly name: string;
    readonly server: () => RigServer;
    readonly create: (urls: readonly string[], parts: ServerParts, endpointWait?: number) => ServerExecutor;
}

const KINDS: readonly Kind[] = [
    {
        name: 'sandbox-fusion',
        server: () => new FusionServer(),
        create: (urls, parts, endpointWait = 60) =>
            createSandboxFusion(fusion(urls, { endpointWait }), parts),
    },
    {
        name: 'go-judge',
        server: () => new GoJudgeServer(),
        create: (urls, parts, endpointWait = 60) => createGoJudge(goJudge(urls, { endpointWait }), parts),
    },
];

const FAULTS: readonly Fault[] = [
    { kind: 'reset' },
    { kind: 'half' },
    { kind: 'not-json' },
    { kind: 'wrong-types' },
    { kind: 'sandbox-error' },
    { kind: 'status', status: 500 },
    { kind: 'status', status: 503, headers: { 'retry-after-ms': '30' } },
    { kind: 'status', status: 429, headers: { 'retry-after-ms': '30' } },
    { kind: 'slow', ms: 80 },
];

/** The verdict of each submission, by its number modulo three. */
const EXPECTED = ['Accepted', 'WrongAnswer', 'RuntimeError'] as const;
const ENDINGS = ['print(a + b)', 'print(a + b + 1)', 'raise SystemExit(2)'] as const;

/** Retries that the run loop grants a failed task. */
const RETRIES = 4;

describe.each(KINDS)('$name, when servers misbehave', (kind) => {
    const servers = Array.from({ length: 4 }, kind.server);
    let stage = '';
    let executor: ServerExecutor | null = null;
    const said: string[] = [];

    beforeAll(async () => {
        stage = await stageSample([
            ['1 2\n', '3\n'],
            ['10 20\n', '30\n'],
        ]);
    });
    afterEach(async () => {
        await executor?.close();
        executor = null;
        said.length = 0;
        for (const server of servers) {
            server.misbehave = () => null;
            await server.stop();
            if (server instanceof FusionServer) await server.clean();
        }
    });

    async function start(endpointWait?: number): Promise<void> {
        await Promise.all(servers.map((server) => server.start()));
        const hooks = {
            paused: (message: string) => void said.push(`paused: ${message}`),
            resumed: () => void said.push('resumed'),
            gaveUp: (message: string) => void said.push(`gave up: ${message}`),
        };
        const urls = servers.map((server) => server.url);
        executor = kind.create(urls, { check: checkTokens, hooks }, endpointWait);
    }

    /** Judges one submission as a run does: failures are retried. */
    async function judge(index: number): Promise<string> {
        if (executor === null) throw new Error('not started');
        const source = `a, b = map(int, input().split())\n${ENDINGS[index % 3]}\n`;
        let last = '';
        for (let attempt = 1; attempt <= RETRIES; attempt += 1) {
            const task = taskOf(stage, 'PYTHON3', source, {
                limits: { time: 10, memory: 256 << 20, output: 1 << 20 },
                attempt,
            });
            last = brief(await executor.run(task, contextOf()));
            if (!last.startsWith('failure')) return last;
        }
        return last;
    }

    const judgeAll = (count: number): Promise<string[]> =>
        Promise.all(Array.from({ length: count }, (_, index) => judge(index)));
    const expected = (count: number): string[] =>
        Array.from({ length: count }, (_, index) => EXPECTED[index % 3] ?? '');

    it('ends every task in its right verdict though 10 % of all requests go wrong', async () => {
        await start();
        const random = lehmer(20_261_121);
        for (const server of servers) {
            server.misbehave = () =>
                random() < 0.1 ? (FAULTS[Math.floor(random() * FAULTS.length)] ?? null) : null;
        }
        const count = LONG ? 60 : 36;
        expect(await judgeAll(count)).toEqual(expected(count));
        const states = executor?.endpoints() ?? [];
        expect(states.reduce((sum, state) => sum + state.failures, 0)).toBeGreaterThan(LONG ? 5 : 2);
        expect(states.every((state) => state.inFlight === 0)).toBe(true);
    });

    it('goes on when one server is killed and comes back', async () => {
        await start();
        const running = judgeAll(30);
        await sleep(150);
        const [first] = servers;
        await first?.stop();
        await sleep(300);
        await first?.start();
        expect(await running).toEqual(expected(30));
        expect(said).toEqual([]);
    });

    it('pauses when all are dead, and goes on when one returns', async () => {
        await start();
        const running = judgeAll(16);
        await sleep(100);
        await Promise.all(servers.map((server) => server.stop()));
        await expect.poll(() => said.length, { timeout: patience(8000) }).toBe(1);
        expect(said[0]).toMatch(/^paused: no endpoint can be used/);
        await servers[2]?.start();
        expect(await running).toEqual(expected(16));
        expect(said.filter((line) => line === 'resumed')).toHaveLength(1);
        expect(said.filter((line) => line.startsWith('gave up'))).toHaveLength(0);
    });

    it('gives up after --endpoint-wait, as failures and never as verdicts', async () => {
        await start(0.25);
        await Promise.all(servers.map((server) => server.stop()));
        const outcomes = await judgeAll(6);
        expect(new Set(outcomes)).toEqual(new Set(['failure endpoint']));
        expect(said.filter((line) => line.startsWith('gave up'))).toHaveLength(1);
    });

    it('costs one dead server of four a few requests, not the run', async () => {
        await start();
        await servers[3]?.stop();
        expect(await judgeAll(16)).toEqual(expected(16));
        const dead = executor?.endpoints()[3];
        expect(dead).toMatchObject({ state: 'down', done: 0 });
        expect(dead?.failures ?? 99).toBeLessThanOrEqual(1);
    });
});

describe('go-judge, its files', () => {
    const server = new GoJudgeServer('open-sesame');
    let executor: ServerExecutor | null = null;
    const cpp =
        '#include <cstdio>\nint main() { int a, b; scanf("%d %d", &a, &b); printf("%d\\n", a + b); }\n';

    afterEach(async () => {
        await executor?.close();
        await server.stop();
        server.misbehave = () => null;
        server.seen.length = 0;
    });

    async function start(secret = 'open-sesame'): Promise<ServerExecutor> {
        await server.start();
        const file = join(tempDir(), 'token');
        writeFileSync(file, `${secret}\n`);
        const endpoint = { url: server.url, concurrency: 1, rate: null, token: { file }, headers: {} };
        executor = createGoJudge(goJudge([], { endpoints: [endpoint] }), { check: checkTokens });
        return executor;
    }

    it('compiles once, and deletes what was kept', async () => {
        const judge = await start();
        const stage = await stageSample([
            ['1 2\n', '3\n'],
            ['2 2\n', '4\n'],
            ['3 2\n', '5\n'],
        ]);
        expect(brief(await judge.run(taskOf(stage, 'CPP', cpp), contextOf()))).toBe('Accepted');
        expect(server.seen.filter((path) => path === '/run')).toHaveLength(4);
        await expect.poll(() => server.files.size).toBe(0);
    });

    it('compiles again after a restart of the server', async () => {
        const judge = await start();
        const stage = await stageSample([
            ['1 2\n', '3\n'],
            ['2 2\n', '4\n'],
        ]);
        let runs = 0;
        server.misbehave = ({ path }) => {
            if (path !== '/run' || ++runs !== 3) return null;
            server.files.clear();
            return { kind: 'reset' };
        };
        expect(brief(await judge.run(taskOf(stage, 'CPP', cpp), contextOf()))).toBe('Accepted');
        // Compile, test 1, test 2 fails, compile, test 2.
        expect(server.seen.filter((path) => path === '/run')).toHaveLength(5);
        await expect.poll(() => server.files.size).toBe(0);
    });

    it('confirms what looks like the trouble of its machine', async () => {
        const judge = await start();
        const task = taskOf(await stageSample([['', '']]), 'PYTHON3', 'raise SystemExit(127)');
        expect(brief(await judge.run(task, contextOf()))).toBe('suspect machine');
        const again = { ...task, attempt: 2, confirming: 'machine' } as const;
        expect(brief(await judge.run(again, contextOf()))).toBe('RuntimeError');
    });

    it('confirms what reads like trouble of its compiler', async () => {
        const judge = await start();
        const source = '#include <cstdio>\nint main() { puts("No space left on device") }\n';
        const task = taskOf(await stageSample([['', '']]), 'CPP', source);
        expect(brief(await judge.run(task, contextOf()))).toBe('suspect machine');
        const again = { ...task, attempt: 2, confirming: 'machine' } as const;
        expect(brief(await judge.run(again, contextOf()))).toBe('CompileError');
    });

    it('gives and takes bytes that are not UTF-8', async () => {
        const judge = await start();
        const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a]);
        const stage = await stageSample([[bytes, bytes]]);
        const echo = 'import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read())\n';
        expect(brief(await judge.run(taskOf(stage, 'PYTHON3', echo), contextOf()))).toBe('Accepted');
        await expect.poll(() => server.files.size).toBe(0);
    });

    it('does not show the token when it is refused', async () => {
        const judge = await start('wrong-secret');
        const unasked = await judge.run(taskOf(await stageSample([]), 'PYTHON3', ''), contextOf());
        expect(brief(unasked)).toBe('Accepted');
        const refused = await judge.run(taskOf(await stageSample([['1', '1']]), 'PYTHON3', ''), contextOf());
        expect(JSON.stringify(refused)).toContain('HTTP 401');
        expect(JSON.stringify(refused)).not.toContain('wrong-secret');
    });
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Pseudo-random numbers from 0 to 1, determined by the seed. */
function lehmer(seed: number): () => number {
    let state = seed % 2147483647;
    return () => {
        state = (state * 48271) % 2147483647;
        return state / 2147483647;
    };
}

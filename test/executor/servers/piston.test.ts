import { afterAll, describe, expect, it } from 'vitest';
import { createPiston } from '../../../src/executor/servers/piston.js';
import type { PistonDescriptor } from '../../../src/executor/servers/piston-kind.js';
import type { ServerExecutor } from '../../../src/executor/servers/server-executor.js';
import { makeTextContent } from '../../../src/model/fingerprint.js';
import { type PistonSetup, PistonServer } from '../../rig/servers/piston-server.js';
import { brief, checkTokens, contextOf, piston, stageSample, taskOf } from '../../rig/servers/submissions.js';

const servers: PistonServer[] = [];
const executors: ServerExecutor[] = [];
afterAll(async () => {
    await Promise.all(executors.map((executor) => executor.close()));
    await Promise.all(servers.map((server) => server.clean()));
});

async function serve(setup: PistonSetup = {}): Promise<PistonServer> {
    const server = await new PistonServer(setup).start();
    servers.push(server);
    return server;
}

function judgeOn(urls: readonly string[], over: Partial<PistonDescriptor> = {}): ServerExecutor {
    const executor = createPiston(piston(urls, over), { check: checkTokens });
    executors.push(executor);
    return executor;
}

const sum = await stageSample([['1 2', '3\n']]);

describe('Piston', () => {
    it('gets limits, version and names as its protocol says, and appends a newline to stdin', async () => {
        const server = await serve();
        const executor = judgeOn([server.url]);
        const program = 'import sys\nassert sys.stdin.read() == "1 2\\n"\nimport helper\nprint(helper.three)';
        const task = taskOf(sum, 'PYTHON3', program, {
            limits: { time: 2, memory: 256 << 20, output: 1 << 20 },
        });
        const { input } = task;
        if (input.kind !== 'program') throw new Error('not a program');
        const helper = { name: 'helper.py', content: makeTextContent('three = 3\n') };
        const files = [input.files[0], helper] as const;
        const outcome = await executor.run({ ...task, input: { ...input, files } }, contextOf());
        expect(brief(outcome), JSON.stringify(outcome)).toBe('Accepted');
        expect(server.bodies[0]).toMatchObject({
            language: 'python',
            version: '3.x',
            stdin: '1 2',
            run_timeout: 6000,
            run_cpu_time: 2500,
            run_memory_limit: 256 << 20,
            files: [
                { name: 'main', encoding: 'utf8' },
                { name: 'helper.py', encoding: 'base64' },
            ],
        });
    });

    it('lifts the limit on digits that Python did not have', async () => {
        const program = 'assert len(str(10**5000)) == 5001\nprint(sum(map(int, input().split())))';
        const executor = judgeOn([(await serve()).url]);
        expect(brief(await executor.run(taskOf(sum, 'PYTHON3', program), contextOf()))).toBe('Accepted');
    });

    it('refuses limits above its own: a failure that names the field and the remedy', async () => {
        const server = await serve({ runTimeout: 3000 });
        const outcome = await judgeOn([server.url]).run(taskOf(sum, 'PYTHON3', 'print(3)'), contextOf());
        expect(outcome).toMatchObject({ kind: 'failure', failure: { reason: 'refused', status: 400 } });
        const said = JSON.stringify(outcome);
        expect(said).toContain('run_timeout cannot exceed the configured limit of 3000');
        expect(said).toMatch(/PISTON_RUN_TIMEOUT.*--timeout/);
        expect(server.bodies).toHaveLength(1);
    });

    it('keeps little output: a failure where the test needs more, a verdict where it does not', async () => {
        const [small, large] = [await serve(), await serve({ outputMaxSize: 1 << 20 })];
        const long = await stageSample([['', `${'x'.repeat(5000)}\n`]]);
        const right = 'print("x" * 5000)';
        const lost = await judgeOn([small.url]).run(taskOf(long, 'PYTHON3', right), contextOf());
        expect(lost).toMatchObject({ kind: 'failure', failure: { reason: 'endpoint' } });
        expect(JSON.stringify(lost)).toContain('PISTON_OUTPUT_MAX_SIZE');
        const retry = { retryEndpoints: piston([large.url]).endpoints };
        const elsewhere = await judgeOn([small.url], retry).run(taskOf(long, 'PYTHON3', right), contextOf());
        expect(brief(elsewhere), JSON.stringify(elsewhere)).toBe('Accepted');
        const [kept] = [await serve({ outputMaxSize: 8192 })];
        const flood = taskOf(sum, 'PYTHON3', 'print("3\\n" * 20000)');
        const flooded = await judgeOn([kept.url]).run(flood, contextOf());
        expect(brief(flooded), JSON.stringify(flooded)).toBe('OutputLimitExceeded');
        const chatty = taskOf(sum, 'PYTHON3', 'import sys\nprint("e" * 20000, file=sys.stderr)\nprint(3)');
        const stopped = await judgeOn([kept.url]).run(chatty, contextOf());
        expect(brief(stopped), JSON.stringify(stopped)).toBe('failure endpoint');
        expect(JSON.stringify(stopped)).toContain('stderr');
    });

    it('decodes output piece by piece: a lost character makes no verdict', async () => {
        const server = await serve({ outputMaxSize: 1 << 20 });
        const wide = await stageSample([['', `${'\u20AC'.repeat(40_000)}\n`]]);
        const program = taskOf(wide, 'PYTHON3', 'print(chr(0x20AC) * 40000)');
        expect(brief(await judgeOn([server.url]).run(program, contextOf()))).toBe('failure endpoint');
        const wrong = taskOf(wide, 'PYTHON3', 'print("b" + chr(0x20AC) * 40000)');
        expect(brief(await judgeOn([server.url]).run(wrong, contextOf()))).toBe('WrongAnswer');
    });

    it('lacks languages: looked for elsewhere, without a request', async () => {
        const [without, withIt] = [await serve({ languages: ['java'] }), await serve()];
        const task = taskOf(sum, 'PYTHON3', 'print(3)');
        const outcome = await judgeOn([without.url, withIt.url]).run(task, contextOf());
        expect(brief(outcome), JSON.stringify(outcome)).toBe('Accepted');
        const nowhere = await judgeOn([without.url]).run(task, contextOf());
        expect(nowhere).toMatchObject({ kind: 'failure', failure: { reason: 'sandbox' } });
        expect(JSON.stringify(nowhere)).toContain('has no python 3');
        expect(without.bodies).toEqual([]);
    });

    it('has no verdict in a broken sandbox, an old answer, or a missing module', async () => {
        const server = await serve();
        const task = taskOf(sum, 'PYTHON3', '# case\nimport no_such_module_anywhere');
        const executor = judgeOn([server.url], { endpointWait: 1 });
        expect(brief(await executor.run(task, contextOf()))).toBe('failure environment');
        const run = { stdout: '3\n', stderr: '', output: '3\n', code: null, signal: 'SIGKILL' };
        const old = JSON.stringify({ run, language: 'python', version: '3.6.0' });
        for (const fault of [
            { kind: 'sandbox-error' },
            { kind: 'status', status: 200, body: old },
        ] as const) {
            server.misbehave = ({ body }) => (body.includes('# case') ? fault : null);
            expect(brief(await executor.run(task, contextOf()))).toBe('failure endpoint');
        }
    });

    it('runs Java classes of any name, and tells their compile errors from crashes', async () => {
        const executor = judgeOn([(await serve({ outputMaxSize: 65_536 })).url]);
        const java = `import java.util.*;
class Other { static int add(int a, int b) { return a + b; } }
public class Sol { public static void main(String[] x) { Scanner s = new Scanner(System.in); System.out.println(Other.add(s.nextInt(), s.nextInt())); } }`;
        const limits = { time: 30, memory: 1 << 30, output: 1 << 20 };
        const right = await executor.run(taskOf(sum, 'JAVA', java, { limits }), contextOf());
        expect(brief(right), JSON.stringify(right)).toBe('Accepted');
        const broken = taskOf(sum, 'JAVA', 'public class Sol { int x = "y"; }', { limits });
        const refused = await executor.run(broken, contextOf());
        expect(brief(refused), JSON.stringify(refused)).toBe('CompileError');
    });
});

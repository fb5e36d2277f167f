import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGoJudge } from '../../src/executor/servers/go-judge.js';
import { createPiston } from '../../src/executor/servers/piston.js';
import { createSandboxFusion } from '../../src/executor/servers/sandbox-fusion.js';
import { FusionServer } from '../rig/servers/fusion-server.js';
import { GoJudgeServer } from '../rig/servers/go-judge-server.js';
import { LONG } from '../rig/long.js';
import { openQueuedGoJudge } from '../rig/queue-servers.js';
import { NO_REDIS, PrivateRedis } from '../rig/redis.js';
import { PistonServer } from '../rig/servers/piston-server.js';
import { findGoJudge, RealGoJudge } from '../rig/servers/real-go-judge.js';
import {
    brief,
    checkTokens,
    fusion,
    goJudge,
    piston,
    stageSample,
    taskOf,
} from '../rig/servers/submissions.js';
import type { ServerExecutor } from '../../src/executor/servers/server-executor.js';
import { sandboxServerSuite } from './sandbox-server.js';

const ALL = ['PYTHON3', 'CPP', 'JAVA'];

describe('sandbox-fusion by run_code, against the rig', () => {
    const servers = [new FusionServer(), new FusionServer()];
    sandboxServerSuite({
        create: async () => {
            await Promise.all(servers.map((server) => server.start()));
            const urls = servers.map((server) => server.url);
            // Without --memory-limit no limit is sent, and nothing would stop a program that takes all memory.
            return createSandboxFusion(fusion(urls, { memoryLimit: 512 << 20 }), { check: checkTokens });
        },
        close: async () => void (await Promise.all(servers.map((server) => server.clean()))),
        languages: ALL,
        limitsMemory: true,
        tellsMemory: false,
        tellsCpu: false,
    });
});

describe('sandbox-fusion by submit, against the rig', () => {
    const server = new FusionServer();
    sandboxServerSuite({
        create: async () => {
            await server.start();
            return createSandboxFusion(fusion([server.url], { api: 'submit' }), { check: checkTokens });
        },
        close: () => server.clean(),
        // `/submit` takes a single source file, and its server names it Main.java.
        languages: ['PYTHON3', 'CPP'],
        // It accepts no memory limit either.
        limitsMemory: false,
        tellsMemory: false,
        tellsCpu: false,
        isSampled: true,
    });
});

describe('go-judge, against the rig', () => {
    const server = new GoJudgeServer();
    sandboxServerSuite({
        create: async () => {
            await server.start();
            return createGoJudge(goJudge([server.url]), { check: checkTokens });
        },
        close: () => server.stop(),
        languages: ALL,
        limitsMemory: true,
        tellsMemory: true,
        tellsCpu: true,
    });
});

if (NO_REDIS !== null) console.error(`go-judge over a queue: skipped, ${NO_REDIS}`);
describe.skipIf(NO_REDIS !== null)('go-judge over a queue, against the rig', () => {
    const server = new GoJudgeServer();
    const redis = new PrivateRedis();
    sandboxServerSuite({
        create: async () => {
            await Promise.all([server.start(), redis.start()]);
            return openQueuedGoJudge(redis, server.url);
        },
        close: async () => {
            await server.stop();
            await redis.end();
        },
        languages: LONG ? ALL : ['PYTHON3'],
        limitsMemory: true,
        tellsMemory: true,
        tellsCpu: true,
        isSampled: true,
    });
});

describe('piston, against the rig', () => {
    const server = new PistonServer({ outputMaxSize: 256 << 10 });
    sandboxServerSuite({
        create: async () => {
            await server.start();
            return createPiston(piston([server.url]), { check: checkTokens });
        },
        close: () => server.clean(),
        // Each test of a Java program compiles it twice; test/executor/servers/piston.test.ts covers Java.
        languages: LONG ? ALL : ['PYTHON3', 'CPP'],
        limitsMemory: true,
        tellsMemory: true,
        tellsCpu: true,
        isSampled: true,
    });
});

/** Programs judged on this machine by our own language table must be judged the same on a server that uses that table. */
function asHereSuite(url: () => Promise<string>, languages: readonly string[]): void {
    let executor: ServerExecutor;
    let stage: string;
    beforeAll(async () => {
        executor = createGoJudge(goJudge([await url()]), { check: checkTokens });
        stage = await stageSample([['1 2\n', '3\n']]);
    });
    afterAll(() => executor.close());
    const programs = [
        [
            'C++ of an older standard',
            'CPP',
            '#include <iostream>\nusing namespace std;\nint size, data[9];\nint main() { cin >> size >> data[0]; cout << size + data[0]; }\n',
        ],
        [
            'JavaScript that prints much and exits',
            'JAVASCRIPT',
            'const [a, b] = require("fs").readFileSync(0, "utf8").split(" ").map(Number);\nconsole.log(a + b + " ".repeat(300000));\nprocess.exit(0);\n',
        ],
    ] as const;
    it.each(programs.filter(([, language]) => languages.includes(language)))(
        '%s is right',
        async (_, language, source) => {
            const signal = new AbortController().signal;
            const outcome = await executor.run(taskOf(stage, language, source), { signal, log: () => {} });
            expect(brief(outcome), JSON.stringify(outcome)).toBe('Accepted');
        },
    );
    const needy = [
        ['PYTHON3', 'import no_such_module_anywhere\nprint(3)'],
        ['CPP', '#include <no/such/header.hpp>\nint main() {}'],
        ['JAVASCRIPT', 'process.exitCode = 1;\nrequire("no-such-module-anywhere");'],
    ] as const;
    it.each(needy.filter(([language]) => language === 'PYTHON3' || languages.includes(language)))(
        '%s that needs what the server lacks gets no verdict',
        async (language, source) => {
            const signal = new AbortController().signal;
            const outcome = await executor.run(taskOf(stage, language, source), { signal, log: () => {} });
            expect(brief(outcome), JSON.stringify(outcome)).toBe('failure environment');
        },
    );
    it.each(languages)('looks itself whether %s runs where a program ends with 127', async (language) => {
        const source = language === 'CPP' ? 'int main() { return 127; }' : 'process.exit(127)';
        const signal = new AbortController().signal;
        const outcome = await executor.run(taskOf(stage, language, source), { signal, log: () => {} });
        expect(brief(outcome), JSON.stringify(outcome)).toBe('suspect machine');
    });
}

const binary = findGoJudge();
const started =
    binary === null ? null : await new RealGoJudge(binary).start().catch((error: unknown) => String(error));
const reason =
    started === null
        ? 'go-judge is not installed (GO_JUDGE, PATH)'
        : typeof started === 'string'
          ? started
          : null;

// The short form uses the real server if there is one.
describe.runIf(LONG || reason !== null)('go-judge by our table, against the rig', () => {
    const server = new GoJudgeServer();
    // The rig limits address space, of which Node needs more than any memory limit allows.
    const url = (): Promise<string> => server.start().then(() => server.url);
    asHereSuite(url, ['CPP']);
    afterAll(() => server.stop());
});

describe('go-judge, the real one', () => {
    if (reason !== null || started === null || typeof started === 'string') {
        process.stdout.write(`skipped: the real go-judge: ${reason}\n`);
        it.skip(`skipped: ${reason}`, () => {});
        return;
    }
    if (!started.hasMountTable) {
        process.stdout.write('skipped: Java on the real go-judge: no mount.yaml beside it\n');
    }
    asHereSuite(() => Promise.resolve(started.url), ['CPP', 'JAVASCRIPT']);
    sandboxServerSuite({
        create: async () => createGoJudge(goJudge([started.url]), { check: checkTokens }),
        close: () => started.kill(),
        languages: started.hasMountTable ? ALL : ['PYTHON3', 'CPP'],
        limitsMemory: true,
        tellsMemory: true,
        tellsCpu: true,
        isSampled: true,
    });
});

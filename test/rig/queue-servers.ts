import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TaskServer } from '../../src/backend/worker/serve.js';
import type { Backend } from '../../src/backend/backend.js';
import { QueueWorker } from '../../src/backend/queue/worker-host.js';
import { createBackend } from '../../src/compose/backend.js';
import type { AdoptContext } from '../../src/executor/executor-kind.js';
import type { Executor } from '../../src/executor/executor.js';
import { adoptGoJudge, describeServers, WORKER_PARTS } from '../../src/executor/servers/adopt-servers.js';
import { createGoJudge } from '../../src/executor/servers/go-judge.js';
import type { ServerExecutor } from '../../src/executor/servers/server-executor.js';
import { readPackageVersion } from '../../src/host/package-version.js';
import { makeRunId } from './queue-backend.js';
import type { PrivateRedis } from './redis.js';
import { checkTokens, goJudge, JUDGING } from './servers/submissions.js';

/** An executor over go-judge servers whose tasks reach a worker through a queue, for the servers' conformance suite. */
export async function openQueuedGoJudge(redis: PrivateRedis, url: string): Promise<ServerExecutor> {
    const run = makeRunId();
    const descriptor = goJudge([url]);
    const inMain = createGoJudge(descriptor, { check: checkTokens });
    const backend = await createBackend('queue', descriptor, 4, inMain, () => {}, {
        redis: { address: redis.url, passwordFile: null, caFile: null },
        run,
        outputs: null,
        runsPrograms: false,
        languageOf: () => null,
        describe: (told) => Promise.resolve(describeServers({ ...descriptor, ...told })),
        onNotice: () => {},
        onPaused: () => {},
        onResumed: () => {},
    });
    const worker = await openServerWorker(redis, run, url);
    return {
        ...inMain,
        run: async (task, { signal }) => {
            const running = backend.start(task);
            signal.addEventListener('abort', () => running.abort(), { once: true });
            const { outcome } = await running.completion;
            running.release?.();
            if (outcome.kind === 'unwritable') throw new Error(outcome.why);
            return outcome;
        },
        close: async () => {
            await backend.close();
            worker.giveBack();
            await worker.drain(0);
        },
    };
}

async function openServerWorker(redis: PrivateRedis, run: string, url: string): Promise<QueueWorker> {
    const scratch = mkdtempSync(join(tmpdir(), 'queue-worker-'));
    const own: AdoptContext = {
        judging: { ...JUDGING, sandbox: 'none' },
        scratch,
        holder: 'test',
        mayRunCommands: false,
        endpoints: { given: [{ url, addresses: [url] }], providers: [], apiKeyEnv: null },
    };
    const worker = await QueueWorker.open({
        redis: redis.access,
        version: readPackageVersion(),
        about: { executors: ['go-judge'], toolchains: {}, sandbox: null },
        runs: [run],
        concurrency: 4,
        createPool: async (info) => {
            const { descriptor } = await adoptGoJudge(info.descriptor, own);
            const executor = createGoJudge(descriptor, { ...WORKER_PARTS, check: checkTokens });
            return { backend: runHere(executor), patience: () => null, outputs: null, languages: [] };
        },
        scratch,
        sharedPaths: [],
        cacheBytes: 1024 * 1024,
        onNotice: () => {},
    });
    const drain = worker.drain.bind(worker);
    worker.drain = (graceMs) =>
        drain(graceMs).finally(() => rmSync(scratch, { recursive: true, force: true }));
    return worker;
}

/** Runs a worker's tasks in this process; their places come from the process that started them. */
function runHere(executor: Executor): Backend {
    const server = new TaskServer(executor);
    let next = 0;
    return {
        start(task, host) {
            const key = String(next++);
            const main = {
                saveStep: () => Promise.resolve(),
                ...(host?.ask === undefined ? {} : { ask: host.ask.bind(host) }),
            };
            const completion = server
                .run(key, task, main)
                .then((served) => ({ ...served, workerId: 'here' }));
            return { completion, abort: () => server.abort(key) };
        },
        resize: () => {},
        close: () => server.close(),
    };
}

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend } from '../../src/backend/backend.js';
import { createProcessBackend, type ProcessBackendOptions } from '../../src/backend/process.js';
import { openQueueBackend } from '../../src/backend/queue.js';
import type { WorkerLock } from '../../src/backend/queue/job-feed.js';
import { PROTOCOL } from '../../src/backend/queue/messages.js';
import { QueueWorker } from '../../src/backend/queue/worker-host.js';
import type { ModuleDescriptor } from '../../src/executor/module-kind.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Task } from '../../src/model/task.js';
import type { RedisAccess } from '../../src/backend/queue/redis.js';

/** A coordinator and a worker over a Redis, as one backend for the backend conformance suite. */
export function queueBackend(redis: RedisAccess, options: ProcessBackendOptions): Backend {
    const run = makeRunId();
    // The worker looks for runs when it starts, then once a second.
    const opened = openCoordinator(redis, run, options).then(
        async (backend) => [backend, await openWorker(redis, run, options)] as const,
    );
    opened.catch(() => {});
    return {
        start(task, host) {
            const running = opened.then(([backend]) => backend.start(task, host));
            return {
                completion: running.then(({ completion }) => completion),
                abort: () => void running.then((one) => one.abort()),
            };
        },
        resize: (concurrency) => void opened.then(([, worker]) => worker.resize(concurrency)),
        close: async () => {
            const [backend, worker] = await opened;
            await backend.close();
            worker.giveBack();
            await worker.drain(0);
        },
    };
}

/** Tasks that do what their row tells them. */
export const OBEYING: ProcessBackendOptions = {
    entry: join(import.meta.dirname, '../../dist/backend/worker/process.js'),
    descriptor: {
        kind: 'module',
        file: join(import.meta.dirname, 'tasks/obey.mjs'),
        exportName: 'default',
        timeout: 60,
    } as ModuleDescriptor,
    concurrency: 2,
    onLog: () => {},
};

export const makeRowTask = (index: number, data: JsonObject): Task => ({
    sample: 's',
    group: 'iteration',
    index,
    fingerprint: `v1-sha256-${index}`,
    input: { kind: 'data', data },
    limits: null,
    stage: null,
    attempt: 1,
    confirmed: [],
    confirming: null,
    settles: true,
});

export const makeRunId = (): string => randomBytes(8).toString('hex');

/** Opens the coordinator of a run. */
export const openCoordinator = (
    redis: RedisAccess,
    run: string,
    { descriptor, onLog }: Pick<ProcessBackendOptions, 'descriptor' | 'onLog'>,
    onNotice: (message: string) => void = () => {},
): Promise<Backend> =>
    openQueueBackend({
        redis,
        run: {
            protocol: PROTOCOL,
            version: 'test',
            run,
            id: run,
            host: 'test',
            descriptor,
            toolchains: { CPP: '14.2' },
        },
        outputs: null,
        runsPrograms: true,
        languageOf: () => null,
        onLog,
        onNotice,
        onPaused: onNotice,
        onResumed: onNotice,
    });

/**
 * A worker in this process that serves one run; its tasks run in processes of their own.
 * @param toolchains versions by language; absent if its tasks are not programs
 */
export async function openWorker(
    redis: RedisAccess,
    run: string,
    options: ProcessBackendOptions,
    toolchains?: Readonly<Record<string, string>>,
    lock?: WorkerLock,
): Promise<QueueWorker> {
    const scratch = mkdtempSync(join(tmpdir(), 'queue-worker-'));
    const worker = await QueueWorker.open({
        redis,
        version: 'test',
        about: { executors: ['module'], toolchains: toolchains ?? {}, sandbox: null },
        runs: [run],
        concurrency: options.concurrency,
        createPool: (_run, onLog) =>
            Promise.resolve({
                backend: createProcessBackend({ ...options, onLog }),
                patience: () => null,
                outputs: null,
                ...(toolchains === undefined ? {} : { languages: Object.keys(toolchains), toolchains }),
            }),
        scratch,
        sharedPaths: [],
        cacheBytes: 0,
        onNotice: () => {},
        ...(lock === undefined ? {} : { lock }),
    });
    const drain = worker.drain.bind(worker);
    worker.drain = (graceMs) =>
        drain(graceMs).finally(() => rmSync(scratch, { recursive: true, force: true }));
    return worker;
}

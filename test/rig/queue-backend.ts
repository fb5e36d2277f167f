import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend } from '../../src/backend/backend.js';
import { createProcessBackend, type ProcessBackendOptions } from '../../src/backend/process.js';
import { openQueueBackend } from '../../src/backend/queue.js';
import { QueueWorker } from '../../src/backend/queue/worker-host.js';
import type { RedisAccess } from '../../src/backend/queue/redis.js';

/** A coordinator and a worker over a Redis, as one backend: what the backend's conformance suite runs over. */
export function queueBackend(redis: RedisAccess, options: ProcessBackendOptions): Backend {
    const opened = open(redis, options);
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

async function open(
    redis: RedisAccess,
    options: ProcessBackendOptions,
): Promise<readonly [Backend, QueueWorker]> {
    const run = randomBytes(8).toString('hex');
    const scratch = mkdtempSync(join(tmpdir(), 'queue-worker-'));
    // The worker looks for runs when it starts, and then once a second.
    const backend = await openQueueBackend({
        redis,
        run: { protocol: 1, version: 'test', run, host: 'test', descriptor: options.descriptor },
        outputs: null,
        onLog: options.onLog,
        onNotice: () => {},
        onPaused: () => {},
        onResumed: () => {},
    });
    const worker = await QueueWorker.open({
        redis,
        version: 'test',
        about: { executors: ['module'], languages: [], sandbox: null },
        runs: [run],
        concurrency: options.concurrency,
        createPool: (_run, onLog) =>
            Promise.resolve({
                backend: createProcessBackend({ ...options, onLog }),
                patience: () => null,
                outputs: null,
            }),
        scratch,
        sharedPaths: [],
        cacheBytes: 0,
        onNotice: () => {},
    });
    return [backend, worker];
}

/*
 * A worker like `resume-run worker -j 2 --executor module --allow exec`, except for its lock: tests do not wait as long as a busy
 * machine may need.
 */
import { runWorker } from '../../dist/compose/queue/run-worker.js';

await runWorker({
    redis: { address: process.env.REDIS_URL, passwordFile: null, caFile: null },
    concurrency: 2,
    executors: ['module'],
    mayRunCommands: true,
    runs: [],
    judging: {},
    endpoints: { given: [], providers: [], apiKeyEnv: null },
    sharedPaths: [],
    cacheBytes: 0,
    grace: 10,
    onNotice: () => {},
    lock: { ms: 4000, lookMs: 500 },
});
process.exit(0);

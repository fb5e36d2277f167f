import type { Redis } from 'ioredis';
import type { Backend } from './backend.js';
import { QueueCoordinator, type QueueBackendOptions } from './queue/coordinator.js';
import { makeRunKeys } from './queue/keys.js';
import { RunLease } from './queue/lease.js';
import { SharedClock } from './queue/shared-clock.js';
import {
    checkSettings,
    connectRedis,
    explainRefusal,
    loadQueuePackages,
    readRedisSettings,
} from './queue/redis.js';
import { TaskQueues } from './queue/task-queues.js';
import { findWaitingJobs } from './queue/waiting-jobs.js';

/**
 * Runs tasks on workers on other machines, through BullMQ on Redis. Only this process writes results: a finished job waits in
 * Redis until `release` says that its result is on disk. A restarted coordinator finds the jobs of its predecessor by their
 * tasks, and waits for them instead of handing the tasks out again.
 *
 *     start ──> known from before? ──no──> add ──> waiting ──> active ──> completed ──> delivered ──release──> removed
 *                      └──yes: its job, in whatever state ─────^
 *
 * @throws UserError exit 2 if packages are missing or Redis evicts keys, exit 3 if another process coordinates the run, exit 5 if
 * Redis cannot be reached
 */
export async function openQueueBackend(options: QueueBackendOptions): Promise<Backend> {
    const packages = await loadQueuePackages();
    const client = await connectRedis(packages, options.redis);
    try {
        for (const line of checkSettings(await readRedisSettings(client), options.redis.shown))
            options.onNotice(line);
        const keys = makeRunKeys(options.run.run);
        const queues = new TaskQueues(packages, client, keys);
        const clock = new SharedClock(client);
        const lease = new RunLease(client, queues, keys, clock, options.run, options.onNotice);
        await lease.begin(options.redis.shown);
        await queues.openKnown();
        const before = await findWaitingJobs(client, queues.all());
        const connect = (): Redis => {
            const other = client.duplicate();
            other.on('error', () => {});
            return other;
        };
        return new QueueCoordinator({ options, client, connect, queues, keys, lease, clock }, before);
    } catch (error) {
        client.disconnect();
        throw explainRefusal(error, options.redis.shown);
    }
}

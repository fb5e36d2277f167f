import type { Backend } from './backend.js';
import { QueueCoordinator, type QueueBackendOptions } from './queue/coordinator.js';
import { makeRunKeys, QUEUE_NAME } from './queue/keys.js';
import { RunLease } from './queue/lease.js';
import { checkSettings, connectRedis, loadQueuePackages, readRedisSettings } from './queue/redis.js';
import { findWaitingJobs } from './queue/waiting-jobs.js';

/**
 * Workers on other machines, by way of BullMQ on Redis. This process stays the only one that writes results: a finished job waits in
 * Redis until `release` says that its result is on disk. A coordinator that starts again finds the jobs of the one before it by the
 * tasks they are for, and waits for them instead of handing the tasks out again.
 *
 *     start ──> known from before? ──no──> add ──> waiting ──> active ──> completed ──> delivered ──release──> removed
 *                      └──yes: its job, in whatever state ─────^
 *
 * @throws UserError exit 2 where packages are missing or Redis throws keys away, exit 5 where it cannot be reached
 */
export async function openQueueBackend(options: QueueBackendOptions): Promise<Backend> {
    const packages = await loadQueuePackages();
    const client = await connectRedis(packages, options.redis);
    try {
        for (const line of checkSettings(await readRedisSettings(client), options.redis.shown))
            options.onNotice(line);
        const keys = makeRunKeys(options.run.run);
        const shared = { connection: client, prefix: keys.prefix };
        const queue = new packages.bullmq.Queue(QUEUE_NAME, {
            ...shared,
            streams: { events: { maxLen: EVENTS_KEPT } },
            defaultJobOptions: {
                attempts: 1,
                removeOnComplete: false,
                removeOnFail: false,
                stackTraceLimit: 0,
            },
        });
        const events = new packages.bullmq.QueueEvents(QUEUE_NAME, shared);
        // Connections come back by themselves; the coordinator tells people.
        queue.on('error', () => {});
        events.on('error', () => {});
        await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
        const before = await findWaitingJobs(client, keys);
        const waiting = client.duplicate();
        waiting.on('error', () => {});
        const lease = new RunLease(client, queue, keys, options.run);
        await lease.register();
        return new QueueCoordinator({ options, client, waiting, queue, events, keys, lease }, before);
    } catch (error) {
        client.disconnect();
        throw error;
    }
}

/** Events that Redis keeps for a coordinator that reads them late; what it misses, it finds by looking. */
const EVENTS_KEPT = 2000;

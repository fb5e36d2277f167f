import { createHash } from 'node:crypto';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { QUEUE_NAME, type QueueKeys, type RunKeys } from './keys.js';
import { parseQueues, type QueueInfo } from './messages.js';
import type { QueuePackages } from './redis.js';

/*
 * Tasks that need the same toolchains share a queue, and a worker only takes tasks from queues whose toolchains it has. A hash of
 * the run lists the queues, for workers and for a restarted coordinator.
 */

/** One queue of a run. */
export interface TaskQueue extends QueueInfo {
    readonly queue: Queue;
    readonly keys: QueueKeys;
}

/** Events that Redis keeps of each queue for a coordinator that reads late; what it misses, it finds by polling. */
const EVENTS_KEPT = 5000;

/** The coordinator's queues of a run. */
export class TaskQueues {
    readonly #queues = new Map<string, TaskQueue>();
    /** Number of queues announced to workers. */
    #announced = 0;

    constructor(
        private readonly packages: QueuePackages,
        private readonly client: Redis,
        private readonly runKeys: RunKeys,
    ) {}

    /** Opens the queues that an earlier coordinator of the run created. */
    async openKnown(): Promise<void> {
        for (const info of parseQueues(await this.client.hgetall(this.runKeys.queues))) this.#open(info);
    }

    all(): readonly TaskQueue[] {
        return [...this.#queues.values()];
    }

    /** The queue of tasks that need these languages. */
    find(languages: readonly string[]): TaskQueue {
        const name = nameQueue(languages);
        return this.#queues.get(name) ?? this.#open({ name, languages });
    }

    /** Announces new queues to workers. */
    async announceNew(): Promise<void> {
        if (this.#announced < this.#queues.size) await this.announce();
    }

    /** Announces all queues to workers. Called repeatedly, because Redis may have lost them. */
    async announce(): Promise<void> {
        const entries = this.all().map(({ name, languages }) => [name, JSON.stringify(languages)] as const);
        if (entries.length > 0) await this.client.hset(this.runKeys.queues, Object.fromEntries(entries));
        this.#announced = entries.length;
    }

    #open(info: QueueInfo): TaskQueue {
        const queue = new this.packages.bullmq.Queue(info.name, {
            connection: this.client,
            prefix: this.runKeys.prefix,
            streams: { events: { maxLen: EVENTS_KEPT } },
            defaultJobOptions: {
                attempts: 1,
                removeOnComplete: false,
                removeOnFail: false,
                stackTraceLimit: 0,
            },
        });
        // Connections are restored automatically; the coordinator informs the user.
        queue.on('error', () => {});
        const opened = { ...info, queue, keys: this.runKeys.queue(info.name) };
        this.#queues.set(info.name, opened);
        return opened;
    }

    async close(): Promise<void> {
        await Promise.allSettled(this.all().map(({ queue }) => queue.close()));
    }
}

/** @param languages sorted, without duplicates */
function nameQueue(languages: readonly string[]): string {
    if (languages.length === 0) return QUEUE_NAME;
    return `${QUEUE_NAME}-${createHash('sha256').update(JSON.stringify(languages)).digest('hex').slice(0, 12)}`;
}

import { setTimeout as wait } from 'node:timers/promises';
import { getMessage } from '../../util/message.js';
import type { Flight } from './flight.js';
import type { RunLease } from './lease.js';
import { LOOK_MS } from './redis-watch.js';
import type { TaskQueue, TaskQueues } from './task-queues.js';

/** A task on its way to Redis, and the data of its job. */
interface OfferedTask {
    readonly flight: Flight;
    readonly data: object;
}

/** Milliseconds for which tasks are gathered: one at a time, each would cost three trips to Redis. */
const GATHER_MS = 10;

interface JobAdderOptions {
    readonly onAdded: (job: string) => void;
    readonly onNotice: (message: string) => void;
}

/** Puts tasks into their queues, many at a time. */
export class JobAdder {
    #waiting: OfferedTask[] = [];
    #isAdding = false;
    #isClosed = false;

    constructor(
        private readonly queues: TaskQueues,
        private readonly lease: RunLease,
        private readonly options: JobAdderOptions,
    ) {}

    add(offered: OfferedTask): void {
        this.#waiting.push(offered);
        if (!this.#isAdding) void this.#addAll();
    }

    async #addAll(): Promise<void> {
        this.#isAdding = true;
        await wait(GATHER_MS);
        let isRefused = false;
        while (this.#waiting.length > 0 && !this.#isClosed) {
            const batch = this.#waiting.filter(({ flight }) => flight.state === 'preparing');
            this.#waiting = [];
            try {
                await this.#addBatch(batch);
                isRefused = false;
            } catch (error) {
                if (this.#isClosed) break;
                const message = `Redis takes no tasks now: ${getMessage(error)}; trying again every ${LOOK_MS / 1000} s`;
                if (!isRefused) this.options.onNotice(message);
                isRefused = true;
                this.#waiting.push(...batch);
                await wait(LOOK_MS);
            }
        }
        this.#isAdding = false;
    }

    async #addBatch(batch: readonly OfferedTask[]): Promise<void> {
        const byQueue = new Map<TaskQueue, OfferedTask[]>();
        for (const offered of batch) {
            const { queue } = offered.flight;
            if (queue === null) continue;
            const same = byQueue.get(queue) ?? [];
            same.push(offered);
            byQueue.set(queue, same);
        }
        await this.queues.announceNew();
        await Promise.all(
            [...byQueue].map(([{ queue }, offered]) =>
                queue.addBulk(
                    offered.map(({ flight, data }) => ({ name: 'task', data, opts: { jobId: flight.job } })),
                ),
            ),
        );
        await this.lease.lend(batch.map(({ flight }) => flight));
        for (const { flight } of batch) {
            if (flight.state === 'preparing') flight.state = 'in Redis';
            this.options.onAdded(flight.job);
        }
    }

    close(): void {
        this.#isClosed = true;
    }
}

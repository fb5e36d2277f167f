import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type JobUpdate, readNews } from './scripts.js';
import type { TaskQueue } from './task-queues.js';

/** Milliseconds that one blocking wait for events lasts, and so the longest delay before events of a new queue are read. */
const BLOCK_MS = 200;

/** Milliseconds for which further events are gathered after the first. */
const GATHER_MS = 10;

/** Learns the outcome of jobs from BullMQ's event streams: all queues over one connection, many events at a time. */
export class FinishedJobs {
    /** Where to continue reading, by stream. */
    readonly #positions = new Map<string, string>();
    #isClosed = false;

    constructor(
        /** A separate connection, because it blocks while it waits. */
        private readonly blocked: Redis,
        private readonly queues: () => readonly TaskQueue[],
        private readonly onNews: (job: JobUpdate) => void,
    ) {}

    async run(): Promise<void> {
        while (!this.#isClosed) {
            try {
                for (const stream of await this.#waitForEvents()) await this.#read(stream);
            } catch {
                // The connection is being restored, or closed.
                await wait(BLOCK_MS / 2);
            }
        }
    }

    /** @returns the streams that have new events */
    async #waitForEvents(): Promise<readonly string[]> {
        const streams = this.queues().map(({ keys }) => keys.state('events'));
        if (streams.length === 0) {
            await wait(BLOCK_MS / 10);
            return [];
        }
        const where = [...streams, ...streams.map((stream) => this.#position(stream))];
        // `call` would return a shape that depends on the protocol version.
        const found = await this.blocked.xread('COUNT', 1, 'BLOCK', BLOCK_MS, 'STREAMS', ...where);
        if (found === null) return [];
        await wait(GATHER_MS);
        return found.map(([stream]) => stream);
    }

    #position(stream: string): string {
        return this.#positions.get(stream) ?? '0-0';
    }

    async #read(stream: string): Promise<void> {
        for (let isAll = false; !isAll && !this.#isClosed; ) {
            const read = await readNews(this.blocked, stream, this.#position(stream));
            this.#positions.set(stream, read.last);
            for (const job of read.jobs) this.onNews(job);
            isAll = read.isAll;
        }
    }

    close(): void {
        this.#isClosed = true;
        this.blocked.disconnect();
    }
}

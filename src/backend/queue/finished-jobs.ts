import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type JobNews, readNews } from './scripts.js';
import type { TaskQueue } from './task-queues.js';

/** Milliseconds that one wait for events lasts: so long may events of a queue that is new wait to be read. */
const BLOCK_MS = 200;

/** Milliseconds for which events are gathered after the first. */
const GATHER_MS = 10;

/** Learns what jobs have come to from BullMQ's streams of events: those of all queues over one connection, many at a time. */
export class FinishedJobs {
    /** Where reading goes on, by stream. */
    readonly #positions = new Map<string, string>();
    #isClosed = false;

    constructor(
        /** A connection of its own: it is blocked while it waits. */
        private readonly blocked: Redis,
        private readonly queues: () => readonly TaskQueue[],
        private readonly onNews: (job: JobNews) => void,
    ) {}

    async run(): Promise<void> {
        while (!this.#isClosed) {
            try {
                for (const stream of await this.#waitForEvents()) await this.#read(stream);
            } catch {
                // The connection is coming back, or being closed.
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
        // `call` would return it in the shape of the protocol's version.
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

import type { Redis } from 'ioredis';
import type { TaskQueue } from './task-queues.js';

/** What a job came to. */
export type FinishedJob =
    /** What its worker returned, as JSON. */
    | { readonly job: string; readonly returned: string }
    /** BullMQ gave it up. */
    | { readonly job: string; readonly failed: string };

/** Events that are read at once, at most. */
const BATCH = 1000;

/** Milliseconds that one wait for events lasts: so long may events of a queue that is new wait to be read. */
const BLOCK_MS = 200;

/** Reads which jobs have finished, from BullMQ's streams of events: those of all queues over one connection, many at a time. */
export class FinishedJobs {
    /** Where reading goes on, by stream. */
    readonly #positions = new Map<string, string>();
    #isClosed = false;

    constructor(
        /** A connection of its own: it is blocked while it waits. */
        private readonly blocked: Redis,
        private readonly queues: () => readonly TaskQueue[],
        private readonly onFinished: (job: FinishedJob) => void,
    ) {}

    async run(): Promise<void> {
        while (!this.#isClosed) {
            for (const [stream, entries] of await this.#read()) {
                for (const [id, fields] of entries) {
                    this.#positions.set(stream, id);
                    const finished = parseEvent(fields);
                    if (finished !== null) this.onFinished(finished);
                }
            }
        }
    }

    async #read(): Promise<StreamReply> {
        const streams = this.queues().map(({ keys }) => keys.state('events'));
        if (streams.length === 0) {
            await new Promise((resolve) => setTimeout(resolve, BLOCK_MS / 10));
            return [];
        }
        const positions = streams.map((stream) => this.#positions.get(stream) ?? '0-0');
        const where = [...streams, ...positions];
        try {
            // `call` would return it in the shape of the protocol's version.
            return (await this.blocked.xread('COUNT', BATCH, 'BLOCK', BLOCK_MS, 'STREAMS', ...where)) ?? [];
        } catch {
            // The connection is coming back, or being closed.
            await new Promise((resolve) => setTimeout(resolve, BLOCK_MS / 2));
            return [];
        }
    }

    close(): void {
        this.#isClosed = true;
        this.blocked.disconnect();
    }
}

/** By stream: id and fields, names and values in turn. */
type StreamReply = readonly (readonly [
    string,
    readonly (readonly [id: string, fields: readonly string[]])[],
])[];

/** @returns null for what is not the end of a job */
function parseEvent(fields: readonly string[]): FinishedJob | null {
    // First the name of the event: most are not of a job's end.
    const [first, event] = fields;
    if (first !== 'event' || (event !== 'completed' && event !== 'failed')) return null;
    const find = (name: string): string => {
        for (let at = 2; at < fields.length; at += 2) if (fields[at] === name) return fields[at + 1] ?? '';
        return '';
    };
    const job = find('jobId');
    return event === 'completed'
        ? { job, returned: find('returnvalue') }
        : { job, failed: find('failedReason') };
}

import type { Redis } from 'ioredis';
import type { TaskLog } from '../../model/task.js';

/** The clock of Redis. Clocks of a run's machines may differ by hours, so all times exchanged between them use this one. */
export class SharedClock {
    /** Milliseconds by which it is ahead of this machine's clock. */
    #ahead = 0;

    constructor(private readonly client: Redis) {}

    /** Compares it with this machine's clock. Repeat this from time to time, because either may be set. */
    async compare(): Promise<void> {
        const before = Date.now();
        const [seconds, microseconds] = await this.client.time();
        const here = (before + Date.now()) / 2;
        this.#ahead = Math.round(Number(seconds) * 1000 + Number(microseconds) / 1000 - here);
    }

    now(): number {
        return this.toShared(Date.now());
    }

    /** @param here time by this machine's clock */
    toShared(here: number): number {
        return here + this.#ahead;
    }

    toLocal(shared: number): number {
        return shared - this.#ahead;
    }
}

/** Converts the times in a log line to another clock. */
export function convertTimes(line: TaskLog, convert: (ms: number) => number): TaskLog {
    if (line.span === undefined) return line;
    const { startedAt, endedAt, events } = line.span;
    const span = {
        ...line.span,
        startedAt: convert(startedAt),
        endedAt: convert(endedAt),
        events: events.map((event) => ({ ...event, at: convert(event.at) })),
    };
    return { ...line, span };
}

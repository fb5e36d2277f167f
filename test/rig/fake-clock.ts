import type { Clock } from '../../src/util/clock.js';

/** A clock that stands still until a test advances it; callbacks run in the order of their times. */
export class FakeClock implements Clock {
    private time = 0;
    private readonly alarms = new Set<{ readonly at: number; readonly call: () => void }>();

    now(): number {
        return this.time;
    }

    after(ms: number, call: () => void): () => void {
        const alarm = { at: this.time + Math.max(0, ms), call };
        this.alarms.add(alarm);
        return () => this.alarms.delete(alarm);
    }

    /** Advances by `ms` milliseconds. Pending promises are settled before each alarm and at the end. */
    async pass(ms: number): Promise<void> {
        const end = this.time + ms;
        await settle();
        for (;;) {
            const next = [...this.alarms].filter((alarm) => alarm.at <= end).sort((a, b) => a.at - b.at)[0];
            if (next === undefined) break;
            this.alarms.delete(next);
            this.time = Math.max(this.time, next.at);
            next.call();
            await settle();
        }
        this.time = end;
        await settle();
    }
}

/** Lets everything that is already settled take effect. */
export async function settle(): Promise<void> {
    for (let turn = 0; turn < 12; turn += 1) await Promise.resolve();
}

import type { Clock } from '../../src/util/clock.js';

/** A clock that stands still until a test moves it; calls come in the order of their times. */
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

    /** Lets `ms` milliseconds pass. What was promised meanwhile is settled before each alarm and at the end. */
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

/** Lets everything that is settled already have its effects. */
export async function settle(): Promise<void> {
    for (let turn = 0; turn < 12; turn += 1) await Promise.resolve();
}

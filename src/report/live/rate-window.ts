const SLOT_MS = 5000;
const SLOTS = 60;
/** With fewer events than this, the window is less informative than the whole run. */
const MIN_TASKS = 10;

/**
 * Rate of events over the last five minutes, or over the whole run if that window has too few (a task may take a quarter of an
 * hour). Constant size.
 */
export class RateWindow {
    private readonly slots = Array.from({ length: SLOTS }, () => 0);
    private newest = 0;
    private begun = 0;
    private total = 0;

    /** @param at milliseconds since the epoch, as in all methods */
    start(at: number): void {
        this.begun = at;
        this.newest = Math.floor(at / SLOT_MS);
    }

    add(at: number): void {
        // If the clock was set back, the window must not be emptied.
        this.forward(Math.floor(at / SLOT_MS));
        this.slots[this.newest % SLOTS] = (this.slots[this.newest % SLOTS] ?? 0) + 1;
        this.total += 1;
    }

    /** Events per second; 0 if there were none. */
    rate(now: number): number {
        this.forward(Math.floor(now / SLOT_MS));
        const elapsed = Math.max(now - this.begun, 1000);
        const recent = this.slots.reduce((sum, slot) => sum + slot, 0);
        // The newest slot covers only the time since it began.
        const covered = Math.min(elapsed, (SLOTS - 1) * SLOT_MS + Math.max(0, now - this.newest * SLOT_MS));
        if (recent >= MIN_TASKS && covered > 0) return (recent * 1000) / covered;
        return (this.total * 1000) / elapsed;
    }

    private forward(slot: number): void {
        const steps = Math.min(slot - this.newest, SLOTS);
        for (let i = 1; i <= steps; i += 1) this.slots[(this.newest + i) % SLOTS] = 0;
        this.newest = Math.max(this.newest, slot);
    }
}

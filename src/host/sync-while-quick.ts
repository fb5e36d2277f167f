/** Milliseconds: if a small call takes longer, the disk is busy or remote. */
const QUICK = 10;
/** Calls that then go through the thread pool before a synchronous one is tried again. */
const CALLS_APART = 100;

/**
 * Small file calls are made synchronously, at a fifth of the cost of a trip through the thread pool (which wakes two threads). On
 * a busy disk they would block the event loop, and with it the lock's heartbeat: then the next calls are asynchronous.
 */
export class SyncWhileQuick {
    #apart = 0;

    /** @returns what `now` returns, or, while the disk is slow, what `later` promises; throws what either throws */
    call<T>(now: () => T, later: () => Promise<T>): T | Promise<T> {
        if (this.#apart > 0) {
            this.#apart -= 1;
            return later();
        }
        const started = performance.now();
        try {
            return now();
        } finally {
            if (performance.now() - started > QUICK) this.#apart = CALLS_APART;
        }
    }
}

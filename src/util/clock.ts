/** Time as waiting code sees it; tests substitute their own. */
export interface Clock {
    /** Milliseconds that never go backwards. */
    now(): number;
    /** Calls `call` after `ms` milliseconds, unless the returned function is called first. */
    after(ms: number, call: () => void): () => void;
}

/** Longest delay that Node's timers take; longer ones would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export const realClock: Clock = {
    now: () => performance.now(),
    after(ms, call) {
        const timer = setTimeout(call, Math.min(Math.max(0, ms), MAX_DELAY_MS));
        return () => clearTimeout(timer);
    },
};

/** Waits. @returns a promise that rejects with the signal's reason when that is aborted */
export function pass(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        if (ms <= 0) return resolve();
        const stop = clock.after(ms, () => {
            signal.removeEventListener('abort', leave);
            resolve();
        });
        const leave = () => {
            stop();
            reject(signal.reason);
        };
        signal.addEventListener('abort', leave, { once: true });
    });
}

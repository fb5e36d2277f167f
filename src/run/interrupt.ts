import type { StopSignal } from '../model/stop.js';

/** Registration of the signal handlers of a run. */
export interface Interrupt {
    /** Removes the handlers. */
    dispose(): void;
}

/**
 * Passes SIGINT, SIGTERM and SIGHUP to the run. SIGHUP is ignored if there is no terminal (nohup must work). The handlers stay
 * for the whole run (`on`, not `once`): otherwise libraries that re-raise a signal they received would end the process during its
 * last writes.
 */
export function onInterrupt(stop: (signal: StopSignal) => void, isTerminal: boolean): Interrupt {
    const handlers = new Map<NodeJS.Signals, () => void>([
        ['SIGINT', () => stop('SIGINT')],
        ['SIGTERM', () => stop('SIGTERM')],
        // Exceeding a file-size limit (`ulimit -f`) must fail the commit, not kill the process.
        ['SIGXFSZ', () => {}],
        ['SIGHUP', isTerminal ? () => stop('SIGHUP') : () => {}],
    ]);
    for (const [signal, handler] of handlers) process.on(signal, handler);
    return {
        dispose: () => {
            for (const [signal, handler] of handlers) process.off(signal, handler);
        },
    };
}

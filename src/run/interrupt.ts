import type { StopSignal } from '../model/stop.js';

/** Where the process's signals go while a run goes on. */
export interface Interrupt {
    /** Takes the handlers off again. */
    dispose(): void;
}

/**
 * Hands SIGINT, SIGTERM and SIGHUP to the run. SIGHUP is ignored where there is no terminal (nohup must work).
 * The handlers stay for the whole run (`on`, not `once`): libraries that re-raise a signal they were told of would end
 * the process in the middle of its last writes otherwise.
 */
export function onInterrupt(stop: (signal: StopSignal) => void, isTerminal: boolean): Interrupt {
    const handlers = new Map<NodeJS.Signals, () => void>([
        ['SIGINT', () => stop('SIGINT')],
        ['SIGTERM', () => stop('SIGTERM')],
        // A file-size limit (`ulimit -f`) must end as a commit that failed, not as a death.
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

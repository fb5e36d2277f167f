import type { RunEvent } from '../../model/event.js';

/** Displays a run. It never throws and never stops the run: losing a reader must not lose work. */
export interface Reporter {
    onEvent(event: RunEvent): void;
    /** Restores the terminal. Output after the run (the summary) is printed after this call. */
    close(): void;
}

/** Passes every event to several reporters. */
export function combineReporters(reporters: readonly Reporter[]): Reporter {
    return {
        onEvent: (event) => {
            for (const reporter of reporters) reporter.onEvent(event);
        },
        close: () => {
            for (const reporter of reporters) reporter.close();
        },
    };
}

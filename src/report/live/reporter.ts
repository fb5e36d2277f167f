import type { RunEvent } from '../../model/event.js';

/** Shows a run to someone. It never throws and never stops a run: a reader that went away is no reason to lose work. */
export interface Reporter {
    onEvent(event: RunEvent): void;
    /** Gives the terminal back as it was. What comes after the run (the summary) is printed after this. */
    close(): void;
}

/** Hands every event to each of several reporters. */
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

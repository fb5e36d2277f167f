import type { CapturedRun } from '../../model/entry.js';

/** One run as a server tells it, of whichever kind. `run` is null where the program did not compile. */
export interface ServerRun {
    readonly compile: CapturedRun | null;
    readonly run: CapturedRun | null;
}

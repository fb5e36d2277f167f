import type { CapturedRun } from '../../model/entry.js';

/** One run as reported by a server of any kind. `run` is null if the program did not compile. */
export interface ServerRun {
    readonly compile: CapturedRun | null;
    readonly run: CapturedRun | null;
}

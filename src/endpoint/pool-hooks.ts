import type { EndpointState } from '../model/event.js';
import type { MinuteBook } from './minute-book.js';
import type { OutcomeClass } from './outcome-class.js';

/** What asking an endpoint how it is came to. */
export interface ProbeOutcome {
    readonly outcome: OutcomeClass;
    /** Milliseconds that the server asked to wait. */
    readonly wait: number | null;
    readonly message: string;
}

/** Told as things happen; must not throw. */
export interface PoolHooks {
    /** An endpoint became healthy, cooling, down or refused. */
    changed?(state: EndpointState): void;
    /** How many requests the pool takes at once is another number than before: a calibration found it. */
    resized?(): void;
    /** Nobody can be served: work waits. */
    paused?(message: string): void;
    /** After `paused`: an endpoint is back. */
    resumed?(message: string): void;
    /** No endpoint came back within `endpointWait`, or all refuse us: every `acquire` now fails. Said once. */
    gaveUp?(message: string): void;
    /** Something that whoever watches the run should know of an endpoint. */
    warned?(message: string): void;
    /** Nothing more fits into what the run may spend. Said once. */
    budgetSpent?(message: string): void;
    /** What was sent in the last minute, in earlier processes too; absent: nobody keeps it. */
    readonly minutes?: MinuteBook;
}

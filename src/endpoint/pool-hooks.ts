import type { EndpointState } from '../model/event.js';
import type { MinuteBook } from './minute-book.js';
import type { OutcomeClass } from './outcome-class.js';

/** Outcome of probing an endpoint. */
export interface ProbeOutcome {
    readonly outcome: OutcomeClass;
    /** Milliseconds that the server asked to wait. */
    readonly wait: number | null;
    readonly message: string;
}

/** Called as events happen; must not throw. */
export interface PoolHooks {
    /** An endpoint became healthy, cooling, down or refused. */
    changed?(state: EndpointState): void;
    /** A calibration changed the number of concurrent requests that the pool accepts. */
    resized?(): void;
    /** No endpoint is usable, so work waits. */
    paused?(message: string): void;
    /** After `paused`: an endpoint is available again. */
    resumed?(message: string): void;
    /** No endpoint came back within `endpointWait`, or all refuse us: every `acquire` now fails. Called once. */
    gaveUp?(message: string): void;
    /** Something about an endpoint that whoever watches the run should know. */
    warned?(message: string): void;
    /** The run's budget is used up. Called once. */
    budgetSpent?(message: string): void;
    /** Records what was sent in the last minute, including by earlier processes; absent: it is not recorded. */
    readonly minutes?: MinuteBook;
}

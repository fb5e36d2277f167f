import type { ExitCode } from '../util/user-error.js';
import { unreachable } from '../util/unreachable.js';

/** Signals that ask a run to stop. */
export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** Why a run stopped before everything was done: a closed union, keyed by `reason`. `message` is one line for the user. */
export type StopReason =
    | { readonly reason: 'signal'; readonly signal: StopSignal }
    /** `abort()` of the library. */
    | { readonly reason: 'caller' }
    /** No endpoint came back in time, or all of them reject us (authentication, quota). */
    | { readonly reason: 'endpoints'; readonly message: string }
    /** The disk is nearly full: stopped while results could still be saved. */
    | { readonly reason: 'disk'; readonly message: string }
    /** A budget (of money, tokens or time) is spent. */
    | { readonly reason: 'budget'; readonly message: string }
    /** More tasks failed than the user allows. */
    | { readonly reason: 'halt'; readonly message: string };

/** When a run stops because of failed tasks: after a number of them, or a share of the ended tasks. */
export type HaltRule = { readonly failures: number } | { readonly percent: number };

/** Tasks that must have ended before a share of them is meaningful. */
const MIN_ENDED_FOR_SHARE = 10;

/** Whether a run with this many failed and finished tasks stops. */
export function isHalted(rule: HaltRule, failed: number, finished: number): boolean {
    if ('failures' in rule) return failed >= rule.failures;
    const ended = failed + finished;
    return failed > 0 && ended >= MIN_ENDED_FOR_SHARE && failed * 100 >= rule.percent * ended;
}

/** The value of the key `signal` in events, which predates the reasons: the signal, or `abort` if there was none. */
export function toSignalOrAbort(stop: StopReason): StopSignal | 'abort' {
    return stop.reason === 'signal' ? stop.signal : 'abort';
}

/** The exit code of a command that stopped for this reason. */
export function exitCodeOfStop(stop: StopReason): ExitCode {
    switch (stop.reason) {
        case 'signal':
            return SIGNAL_EXIT_CODES[stop.signal];
        case 'endpoints':
            return 5;
        case 'disk':
            return 4;
        case 'caller':
        case 'budget':
        case 'halt':
            return 1;
        default:
            return unreachable(stop, 'stop reason');
    }
}

const SIGNAL_EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const satisfies Record<
    StopSignal,
    ExitCode
>;

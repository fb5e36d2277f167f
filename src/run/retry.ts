import { type Failure, isRetryable } from '../model/failure.js';
import type { FailureOutcome, Served, Suspicion, UnwritableOutcome, VerdictOutcome } from '../model/task.js';

/** How often attempts are repeated. */
export interface RetryPolicy {
    /** `--retries`: more tries after a failure, per start. */
    readonly retries: number;
    /** `--retry-delay` and `--max-retry-delay`, in seconds: the delay before the first retry, and the longest delay. */
    readonly retryDelay: { readonly first: number; readonly most: number };
    /** `--tle-retries`: more tries for a doubtful verdict. */
    readonly tleRetries: number;
}

/** What this start has already tried for a task. */
export interface Tried {
    readonly failures: number;
    /** By kind of doubt: confirming one kind says nothing about another. */
    readonly confirmations: Readonly<Partial<Record<Suspicion, number>>>;
}

/** Counts one more try for this doubt. */
export function confirmOnceMore(tried: Tried, suspicion: Suspicion): Tried {
    const confirmations = {
        ...tried.confirmations,
        [suspicion]: (tried.confirmations[suspicion] ?? 0) + 1,
    };
    return { ...tried, confirmations };
}

/** What to do after an attempt. */
export type Decision =
    | { readonly do: 'commit'; readonly outcome: VerdictOutcome }
    | { readonly do: 'confirm'; readonly outcome: VerdictOutcome; readonly suspicion: Suspicion }
    /** Try again after `delay` seconds. */
    | { readonly do: 'retry'; readonly failure: Failure; readonly delay: number }
    | { readonly do: 'give up'; readonly failure: Failure }
    /** The run must stop: nothing more can be written. */
    | { readonly do: 'stop'; readonly outcome: UnwritableOutcome }
    | { readonly do: 'drop' };

/** Pure: the same attempt and history give the same decision. `stopping`: the run was asked to stop. */
export function decide(
    outcome: Served['outcome'],
    tried: Tried,
    policy: RetryPolicy,
    stopping: boolean,
): Decision {
    switch (outcome.kind) {
        case 'abort':
            return { do: 'drop' };
        case 'verdict':
            return decideVerdict(outcome, tried, policy, stopping);
        case 'unwritable':
            return { do: 'stop', outcome };
        case 'failure':
            return decideFailure(outcome, tried, policy, stopping);
    }
}

function decideVerdict(
    outcome: VerdictOutcome,
    tried: Tried,
    policy: RetryPolicy,
    stopping: boolean,
): Decision {
    const { suspect, isPartial = false } = outcome;
    // The signal that stopped the run may have been sent to the program too.
    if (stopping && suspect === 'signal') return { do: 'drop' };
    if (suspect === null || (!isPartial && isConfirmed(tried, suspect, policy)))
        return { do: 'commit', outcome };
    return { do: 'confirm', outcome, suspicion: suspect };
}

/** Whether all tries for a doubt have been made, including the current one. */
export function isConfirmed(tried: Tried, suspicion: Suspicion, policy: RetryPolicy): boolean {
    return (tried.confirmations[suspicion] ?? 0) >= countConfirmations(suspicion, policy);
}

/** Only time-outs depend on `--tle-retries`; other doubts always get at least one more try. */
function countConfirmations(suspicion: Suspicion, policy: RetryPolicy): number {
    switch (suspicion) {
        case 'near-time':
            return policy.tleRetries;
        case 'signal':
        case 'no-output':
        case 'machine':
        case 'compile-limit':
        case 'first-timeout':
            return Math.max(1, policy.tleRetries);
    }
}

function decideFailure(
    outcome: FailureOutcome,
    tried: Tried,
    policy: RetryPolicy,
    stopping: boolean,
): Decision {
    const { failure } = outcome;
    if (stopping) return { do: 'drop' };
    if (!isRetryable(failure) || tried.failures >= policy.retries) return { do: 'give up', failure };
    const asked = failure.reason === 'task-threw' ? failure.retryAfter : undefined;
    return { do: 'retry', failure, delay: asked ?? backOff(tried.failures, policy.retryDelay) };
}

/** Seconds, doubled with each previous failure: 0.5 s, 1 s, 2 s ... at most 30 s by default. */
export function backOff(failures: number, { first, most }: RetryPolicy['retryDelay']): number {
    return Math.min(Math.max(first, most), first * 2 ** failures);
}

import { type Failure, isRetryable } from '../model/failure.js';
import type { FailureOutcome, Served, Suspicion, UnwritableOutcome, VerdictOutcome } from '../model/task.js';

/** How often an attempt is made again. */
export interface RetryPolicy {
    /** `--retries`: more tries after a failure, a start. */
    readonly retries: number;
    /** `--retry-delay`, `--max-retry-delay`: seconds before the second try, and before any further one at most. */
    readonly retryDelay: { readonly first: number; readonly most: number };
    /** `--tle-retries`: more tries for a verdict in doubt. */
    readonly tleRetries: number;
}

/** What this start has already tried for a task. */
export interface Tried {
    readonly failures: number;
    /** By what was in doubt: one doubt that was looked into says nothing of another. */
    readonly confirmations: Readonly<Partial<Record<Suspicion, number>>>;
}

/** A further try was made because of this doubt. */
export function confirmOnceMore(tried: Tried, suspicion: Suspicion): Tried {
    const confirmations = {
        ...tried.confirmations,
        [suspicion]: (tried.confirmations[suspicion] ?? 0) + 1,
    };
    return { ...tried, confirmations };
}

/** What becomes of an attempt. */
export type Decision =
    | { readonly do: 'commit'; readonly outcome: VerdictOutcome }
    | { readonly do: 'confirm'; readonly outcome: VerdictOutcome; readonly suspicion: Suspicion }
    /** Again after `delay` seconds. */
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
    // Whoever stopped us may have sent the same signal to the program.
    if (stopping && suspect === 'signal') return { do: 'drop' };
    if (suspect === null || (!isPartial && isConfirmed(tried, suspect, policy)))
        return { do: 'commit', outcome };
    return { do: 'confirm', outcome, suspicion: suspect };
}

/** Whether a doubt has had all the further tries that it gets, with the one that is being made. */
export function isConfirmed(tried: Tried, suspicion: Suspicion, policy: RetryPolicy): boolean {
    return (tried.confirmations[suspicion] ?? 0) >= countConfirmations(suspicion, policy);
}

/** Only time-outs depend on `--tle-retries`; the others are never final at the first sight. */
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

/** Seconds, doubled with each failure before: 0.5 s, 1 s, 2 s ... at most 30 s by default. */
export function backOff(failures: number, { first, most }: RetryPolicy['retryDelay']): number {
    return Math.min(Math.max(first, most), first * 2 ** failures);
}

import type { JSX } from 'preact';
import { FLAG_IN_PART, FLAG_UNEXPECTED, type TaskOutcome } from '../../model/page-data.js';
import type { RunData } from '../data/run-data.js';
import { say } from '../language/text.js';

/** Verdicts have the same name in every language: people search for it. */
export function nameOutcome(outcome: TaskOutcome): string {
    return outcome === 'failed' || outcome === 'pending' || outcome === 'skipped' ? say(outcome) : outcome;
}

export type CellKind =
    | 'accepted'
    | 'rejected'
    | 'bad-accept'
    | 'bad-reject'
    | 'failed'
    | 'pending'
    | 'skipped'
    | 'none';

/** The kind shown by the colour of a task: right or wrong, and in which way. Shape and text show it too. */
export function chooseCellKind(data: RunData, entry: number): CellKind {
    const outcome = data.getOutcome(entry);
    if (outcome === 'failed' || outcome === 'pending' || outcome === 'skipped') return outcome;
    const isUnexpected = data.hasFlag(entry, FLAG_UNEXPECTED);
    if (outcome === 'Accepted') return isUnexpected ? 'bad-accept' : 'accepted';
    if (data.hasFlag(entry, FLAG_IN_PART)) return 'accepted';
    return isUnexpected ? 'bad-reject' : 'rejected';
}

/** A verdict in its colour. */
export function OutcomeMark({
    data,
    entry,
}: {
    readonly data: RunData;
    readonly entry: number;
}): JSX.Element {
    const outcome = data.getOutcome(entry);
    return <span class={`mark ${chooseCellKind(data, entry)}`}>{nameOutcome(outcome)}</span>;
}

import type { JSX } from 'preact';
import { showCount, showShare } from '../language/figures.js';
import { say } from '../language/text.js';

/** A share with its numbers; the bar itself is decorative. */
export function RateBar({
    hits,
    judged,
    isNeutral = false,
}: {
    readonly hits: number;
    readonly judged: number;
    /** Whether less than 100 % is no reason for concern. */
    readonly isNeutral?: boolean;
}): JSX.Element {
    if (judged === 0) return <span class="faint">–</span>;
    const share = hits / judged;
    const level = share === 1 || isNeutral ? '' : ' low';
    return (
        <span class="rate" title={say('of', { hits: showCount(hits), judged: showCount(judged) })}>
            <span class={`rate-value${level}`}>{showShare(share)}</span>
            <span
                class={`rate-track${level}`}
                aria-hidden="true"
                style={{ backgroundSize: `${share * 100}%` }}
            />
        </span>
    );
}

/** A count that is coloured only if it is not 0. */
export function QuietCount({
    value,
    isBad = false,
}: {
    readonly value: number;
    readonly isBad?: boolean;
}): JSX.Element {
    if (value === 0) return <span class="faint">·</span>;
    return <span class={isBad ? 'bad' : ''}>{showCount(value)}</span>;
}

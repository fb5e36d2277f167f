import { readOnSamples } from '../model/sample-tests.js';
import type { Verdict } from '../model/verdict.js';
import type { SuccessWord } from './success-word.js';

/** `200,000`. By hand: loading Intl costs a start more than all it would ever format. @param value an integer */
export function count(value: number): string {
    return String(value).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 task`, `2,000 tasks` */
export function formatCount(value: number, noun: string): string {
    return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** `21 ms`, `0.4 s`, `12 s`, `4m 12s`, `3h 05m`, `12d 3h`: two figures at most. @param seconds infinite or not a number: `-` */
export function formatDuration(seconds: number): string {
    if (!Number.isFinite(seconds)) return '-';
    if (seconds > 0 && seconds < 0.095) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
    if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
    const whole = Math.round(seconds);
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return `${Math.floor(whole / 60)}m ${padToTwoDigits(whole % 60)}s`;
    if (whole < 86400)
        return `${Math.floor(whole / 3600)}h ${padToTwoDigits(Math.floor((whole % 3600) / 60))}m`;
    return `${count(Math.floor(whole / 86400))}d ${Math.floor((whole % 86400) / 3600)}h`;
}

function padToTwoDigits(value: number): string {
    return String(value).padStart(2, '0');
}

/** `12.4/s`, `3.2/min`, `7.0/h`: the unit in which a person would count. @param perSecond tasks */
export function formatRate(perSecond: number): string {
    if (!(perSecond > 0)) return '-';
    const [value, unit] =
        perSecond >= 1
            ? [perSecond, 's']
            : perSecond * 60 >= 1
              ? [perSecond * 60, 'min']
              : [perSecond * 3600, 'h'];
    return `${value >= 100 ? count(Math.round(value)) : value.toFixed(1)}/${unit}`;
}

/** `97.6 %`; never rounded up to 100 nor down to 0: those two say "all" and "none". */
export function formatPercent(part: number, whole: number): string {
    if (whole === 0) return '-';
    if (part === whole) return '100 %';
    if (part === 0) return '0 %';
    const tenths = Math.min(999, Math.max(1, Math.round((1000 * part) / whole)));
    return `${(tenths / 10).toFixed(1)} %`;
}

/** `12.40`, `0.0512`, `0.000031`: US dollars; of small amounts two figures, so that none looks like nothing. */
export function formatDollars(value: number): string {
    const size = Math.abs(value);
    if (size === 0 || size >= 0.01) return value.toFixed(size >= 1 || size === 0 ? 2 : 4);
    return value.toFixed(Math.min(12, 1 - Math.floor(Math.log10(size))));
}

/** `212 MB`, `1.4 GB`: powers of 1000. */
export function formatBytes(value: number): string {
    if (value < 1e6) return `${Math.round(value / 1e3)} kB`;
    return value < 1e9 ? `${Math.round(value / 1e6)} MB` : `${(value / 1e9).toFixed(1)} GB`;
}

/** `incorrect solutions` for the group `incorrect_solution`; groups of other names keep theirs. */
export function groupTitle(group: string): string {
    if (readOnSamples(group) !== null) return group.replaceAll('_', ' ').replace('solution', 'solutions');
    return group === 'solution' || group === 'incorrect_solution' ? `${group.replaceAll('_', ' ')}s` : group;
}

/** As contestants write them. */
export const SHORT_VERDICT: Readonly<Record<Verdict, string>> = {
    Accepted: 'AC',
    PartiallyAccepted: 'PA',
    WrongAnswer: 'WA',
    TimeLimitExceeded: 'TLE',
    MemoryLimitExceeded: 'MLE',
    OutputLimitExceeded: 'OLE',
    RuntimeError: 'RTE',
    CompileError: 'CE',
    Refused: 'RF',
};

/** A verdict in a few letters; Accepted by the word that stands for it. */
export function shortenVerdict(verdict: Verdict, success: SuccessWord = 'accepted'): string {
    return verdict === 'Accepted' && success === 'done' ? success : SHORT_VERDICT[verdict];
}

/** Made when first asked for: see `count`. */
let collator: Intl.Collator | null = null;

/** People expect `p2` before `p10`; texts that only differ in what collation ignores still keep one order everywhere. */
export function compareNatural(a: string, b: string): number {
    collator ??= new Intl.Collator('en', { numeric: true });
    return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

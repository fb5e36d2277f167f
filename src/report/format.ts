import { readOnSamples } from '../model/sample-tests.js';
import type { Verdict } from '../model/verdict.js';
import type { SuccessWord } from './success-word.js';

/** `200,000`. Formatted by hand: loading Intl takes longer at start-up than all the formatting. @param value an integer */
export function count(value: number): string {
    return String(value).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 task`, `2,000 tasks` */
export function formatCount(value: number, noun: string): string {
    return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** `21 ms`, `0.4 s`, `12 s`, `4m 12s`, `3h 05m`, `12d 3h`: at most two units. @param seconds infinite or NaN gives `-` */
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

/** `12.4/s`, `3.2/min`, `7.0/h`: in the unit that suits its size. @param perSecond tasks */
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

/** `97.6 %`; never rounded up to 100 or down to 0, which mean all and none. */
export function formatPercent(part: number, whole: number): string {
    if (whole === 0) return '-';
    if (part === whole) return '100 %';
    if (part === 0) return '0 %';
    const tenths = Math.min(999, Math.max(1, Math.round((1000 * part) / whole)));
    return `${(tenths / 10).toFixed(1)} %`;
}

/** `12.40`, `0.0512`, `0.000031`: US dollars. Small amounts keep two significant digits, so that none looks like zero. */
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

/** `incorrect solutions` for the group `incorrect_solution`; other groups keep their name. */
export function groupTitle(group: string): string {
    if (readOnSamples(group) !== null) return group.replaceAll('_', ' ').replace('solution', 'solutions');
    return group === 'solution' || group === 'incorrect_solution' ? `${group.replaceAll('_', ' ')}s` : group;
}

/** Abbreviations common among contestants. */
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

/** A verdict in a few letters; Accepted as the success word. */
export function shortenVerdict(verdict: Verdict, success: SuccessWord = 'accepted'): string {
    return verdict === 'Accepted' && success === 'done' ? success : SHORT_VERDICT[verdict];
}

/** Created on first use: see `count`. */
let collator: Intl.Collator | null = null;

/** Natural order: `p2` before `p10`. Texts that collation treats as equal still have the same order everywhere. */
export function compareNatural(a: string, b: string): number {
    collator ??= new Intl.Collator('en', { numeric: true });
    return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

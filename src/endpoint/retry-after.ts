/** The longest wait that a server may ask for, milliseconds: 24 days, near the longest that timers take. Quotas end by the day or month. */
export const LONGEST_RETRY_AFTER = 24 * 24 * 3_600_000;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * How long a server asks us to wait: `retry-after-ms`, or `Retry-After` as seconds or as an HTTP date.
 * @param headers names in lower case
 * @param wallTime milliseconds since 1970
 * @returns milliseconds, bounded by 24 days; null where it asks for nothing that can be read
 */
export function retryAfter(headers: Headers, wallTime: number): number | null {
    const precise = decimal(headers['retry-after-ms']);
    if (precise !== null) return bounded(precise);
    const seconds = decimal(headers['retry-after']);
    if (seconds !== null) return bounded(seconds * 1000);
    const text = single(headers['retry-after']);
    // A date always has letters; Date.parse would read "-5" as a year.
    const date = text !== null && /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
    return Number.isNaN(date) ? null : bounded(date - wallTime);
}

const single = (value: string | string[] | undefined): string | null =>
    (Array.isArray(value) ? value[0] : value)?.trim() ?? null;

function decimal(value: string | string[] | undefined): number | null {
    const text = single(value);
    return text !== null && /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}

const bounded = (ms: number): number => Math.min(Math.max(0, ms), LONGEST_RETRY_AFTER);

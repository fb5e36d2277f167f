/**
 * The longest wait that a server may ask for, in milliseconds: 24 days, close to the longest delay of timers. Quotas may be per
 * day or month.
 */
export const MAX_RETRY_AFTER_MS = 24 * 24 * 3_600_000;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * How long a server asks us to wait: `retry-after-ms`, or `Retry-After` as seconds or as an HTTP date.
 * @param headers names in lower case
 * @param wallTime milliseconds since 1970
 * @returns milliseconds, at most 24 days; null if there is no readable value
 */
export function retryAfter(headers: Headers, wallTime: number): number | null {
    const precise = decimal(headers['retry-after-ms']);
    if (precise !== null) return bounded(precise);
    const seconds = decimal(headers['retry-after']);
    if (seconds !== null) return bounded(seconds * 1000);
    const text = single(headers['retry-after']);
    // A date always contains letters; Date.parse would read "-5" as a year.
    const date = text !== null && /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
    return Number.isNaN(date) ? null : bounded(date - wallTime);
}

const single = (value: string | string[] | undefined): string | null =>
    (Array.isArray(value) ? value[0] : value)?.trim() ?? null;

function decimal(value: string | string[] | undefined): number | null {
    const text = single(value);
    return text !== null && /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}

const bounded = (ms: number): number => Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS);

import { MAX_RETRY_AFTER_MS } from './retry-after.js';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Milliseconds of the units in `1m30s`, `12ms`, `6h0m5s`. */
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * How long a service accepts no requests, according to its headers `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`: until
 * the reset of whichever has nothing left. A limit of 0 or -1, which Azure sends, means that there is no limit.
 * @param headers names in lower case
 * @returns milliseconds; null if the quota is not used up, or if no header tells
 */
export function rateHeaderWait(headers: Headers): number | null {
    const waits = ['requests', 'tokens'].map((kind) => {
        const of = (what: string): string | null => single(headers[`x-ratelimit-${what}-${kind}`]);
        const limit = of('limit');
        if (of('remaining') !== '0' || (limit !== null && !(Number(limit) > 0))) return null;
        return parseDuration(of('reset') ?? '');
    });
    return waits.reduce((one, other) =>
        one === null || other === null ? (one ?? other) : Math.max(one, other),
    );
}

const single = (value: string | string[] | undefined): string | null =>
    (Array.isArray(value) ? value[0] : value)?.trim() ?? null;

/** `1m30s` or seconds as a number, in milliseconds; null for anything else. */
function parseDuration(text: string): number | null {
    if (/^\d+(\.\d+)?$/.test(text)) return bounded(Number(text) * 1000);
    if (!/^(\d+(\.\d+)?(ms|[smhd]))+$/.test(text)) return null;
    const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g);
    return bounded(
        [...parts].reduce((sum, [, number, unit = '']) => sum + Number(number) * (UNITS[unit] ?? 0), 0),
    );
}

const bounded = (ms: number): number => Math.min(ms, MAX_RETRY_AFTER_MS);

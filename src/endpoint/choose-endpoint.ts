import type { Endpoint } from './endpoint.js';

export interface AcquireOptions {
    /** Endpoints to avoid as long as any other works. */
    readonly avoid?: ReadonlySet<string> | undefined;
    /** `reserve`: an endpoint of the reserve pool, if one of them works. */
    readonly prefer?: 'reserve' | undefined;
    /** Model that the endpoint must serve; absent: any. */
    readonly model?: string | undefined;
    /** Tokens that the request may use, for limits per minute; absent: 0. */
    readonly tokens?: number | undefined;
}

/**
 * Chooses an endpoint for a waiter among the usable ones; null: the waiter must keep waiting. A preference is dropped only if no
 * endpoint that meets it is usable or still untested.
 */
export function chooseEndpoint(
    waiter: AcquireOptions,
    usable: readonly Endpoint[],
    untested: readonly Endpoint[],
    now: number,
): Endpoint | null {
    const serves = (one: Endpoint) => servesModel(one, waiter.model);
    const isOther = (one: Endpoint) => waiter.avoid?.has(one.address) !== true && serves(one);
    const isReserve = (one: Endpoint) => one.reserve && serves(one);
    const isMain = (one: Endpoint) => !one.reserve && serves(one);
    const reserveOthers = (one: Endpoint) => one.reserve && isOther(one);
    const mainOthers = (one: Endpoint) => !one.reserve && isOther(one);
    const wishes =
        waiter.prefer === 'reserve' ? [reserveOthers, mainOthers, isReserve, isMain] : [mainOthers, isMain];
    const wish = wishes.find((meets) => usable.some(meets) || untested.some(meets));
    if (wish === undefined) return null;
    const tokens = waiter.tokens ?? 0;
    let best: Endpoint | null = null;
    for (const endpoint of usable) {
        if (!wish(endpoint) || !endpoint.hasRoom(now)) continue;
        if (best === null || isBetter(endpoint, best, tokens, now)) best = endpoint;
    }
    return best;
}

const servesModel = (endpoint: Endpoint, model: string | undefined): boolean =>
    endpoint.model === null || model === undefined || endpoint.model === model;

/** Prefers endpoints that can send immediately, then those with less load, then those that have waited longer. */
function isBetter(one: Endpoint, other: Endpoint, tokens: number, now: number): boolean {
    const waits = one.limits.mustWait(tokens, now);
    if (waits !== other.limits.mustWait(tokens, now)) return !waits;
    const difference = one.limits.load - other.limits.load;
    return difference === 0 ? one.lastGrant < other.lastGrant : difference < 0;
}

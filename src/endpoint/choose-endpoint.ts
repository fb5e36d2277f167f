import type { Endpoint } from './endpoint.js';

export interface AcquireOptions {
    /** None of these endpoints, as long as any other works. */
    readonly avoid?: ReadonlySet<string> | undefined;
    /** `reserve`: one of the reserve pool, if any of it works. */
    readonly prefer?: 'reserve' | undefined;
    /** One that serves this model; absent: any. */
    readonly model?: string | undefined;
    /** Tokens that the request may use, for limits by the minute; absent: 0. */
    readonly tokens?: number | undefined;
}

/**
 * The endpoint for a waiter among those that are well; null: it waits on. Wishes are given up only when nobody who could
 * meet them is well, or still to be asked for the first time.
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

/** Who can send at once goes first, then who has less to do, then who has waited longer. */
function isBetter(one: Endpoint, other: Endpoint, tokens: number, now: number): boolean {
    const waits = one.limits.mustWait(tokens, now);
    if (waits !== other.limits.mustWait(tokens, now)) return !waits;
    const difference = one.limits.load - other.limits.load;
    return difference === 0 ? one.lastGrant < other.lastGrant : difference < 0;
}

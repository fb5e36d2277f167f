import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Name of the cookie that carries the token. */
export const TOKEN_COOKIE = 'resume-run-view';

export interface AccessRules {
    /** `127.0.0.1:8080`, `localhost:8080`: the names under which a browser may reach this server. */
    readonly hosts: ReadonlySet<string>;
    /** Null: only this machine can reach the server. */
    readonly token: string | null;
}

export type AccessDecision =
    | { readonly kind: 'allowed' }
    /** The token was in the address: it moves to a cookie, so that sharing the address does not share the token. */
    | { readonly kind: 'greeted' }
    | { readonly kind: 'refused'; readonly status: 403 | 405; readonly why: string };

/**
 * Decides whether a request is allowed. A page of another site can make a browser request a loopback address, so the names in
 * `Host` (against DNS rebinding) and `Origin` are checked, and only reading is possible.
 */
export function decideAccess(
    request: IncomingMessage,
    url: URL,
    { hosts, token }: AccessRules,
): AccessDecision {
    const { host, origin, cookie } = request.headers;
    if (request.method !== 'GET' && request.method !== 'HEAD')
        return { kind: 'refused', status: 405, why: 'this server only answers GET' };
    if (host === undefined || !hosts.has(host.toLowerCase()))
        return { kind: 'refused', status: 403, why: 'unknown host name for this server' };
    if (origin !== undefined && !hosts.has(origin.replace(/^http:\/\//, '').toLowerCase()))
        return { kind: 'refused', status: 403, why: 'requests from other sites are refused' };
    if (token === null) return { kind: 'allowed' };
    if (isSame(url.searchParams.get('token') ?? '', token)) return { kind: 'greeted' };
    const given = (cookie ?? '')
        .split(/;\s*/)
        .find((part) => part.startsWith(`${TOKEN_COOKIE}=`))
        ?.slice(TOKEN_COOKIE.length + 1);
    if (given !== undefined && isSame(given, token)) return { kind: 'allowed' };
    return {
        kind: 'refused',
        status: 403,
        why: 'open the address that resume-run view printed: it holds the token',
    };
}

/** Compares in constant time, so that timing does not reveal a partial match. */
function isSame(given: string, token: string): boolean {
    const [a, b] = [Buffer.from(given), Buffer.from(token)];
    return a.length === b.length && timingSafeEqual(a, b);
}

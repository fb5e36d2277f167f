import { z } from 'zod';
import { displayAddress } from '../../endpoint/address.js';
import { readToken } from '../../endpoint/secrets.js';
import { UserError } from '../../util/user-error.js';
import type { EndpointOptions, ServerOptions } from '../descriptor.js';
import { nameEndpoints } from './fleet.js';

/*
 * Endpoints of a run over a queue. Keys, headers and passwords of addresses never pass through Redis: a worker uses its own, for
 * the addresses that it was started with, and asks no other address. Otherwise, anybody with write access to that Redis could
 * have a worker's keys sent to a server of their own.
 */

const NAME = z.string().min(1).max(4096);

const endpoint = z.strictObject({
    /** Name of the endpoint in the coordinator's pool. */
    name: NAME,
    /** Without user and password. */
    url: z.url().max(4096),
    /** Variable that holds the key there, or null. It distinguishes several keys for one address. */
    keyName: NAME.nullable(),
    deployments: z.record(NAME, NAME).optional(),
    apiVersion: NAME.optional(),
    provider: NAME.optional(),
});

/** What workers learn about the endpoints of a run. */
const queued = z.looseObject({ endpoints: z.array(endpoint).min(1).max(8192) });

type QueuedEndpoint = z.infer<typeof endpoint>;

const nameKey = ({ token }: EndpointOptions): string | null =>
    token === null ? null : 'env' in token ? token.env : token.file;

/**
 * Describes endpoints for workers.
 * @throws UserError for an endpoint that exists only on this machine
 */
export function describeForWorkers({ endpoints, retryEndpoints }: ServerOptions): {
    readonly endpoints: readonly QueuedEndpoint[];
} {
    const all = [...endpoints, ...retryEndpoints];
    const names = nameEndpoints(all);
    return {
        endpoints: all.map((one): QueuedEndpoint => {
            if (one.sentTo !== undefined)
                throw new UserError(
                    `${displayAddress(one.url)} is a demo server on this machine, which --mode queue cannot use`,
                );
            const { deployments, apiVersion, provider } = one;
            return {
                name: names.get(one) ?? '',
                url: displayAddress(one.url),
                keyName: nameKey(one),
                ...(deployments === undefined ? {} : { deployments }),
                ...(apiVersion === undefined ? {} : { apiVersion }),
                ...(provider === undefined ? {} : { provider }),
            };
        }),
    };
}

/**
 * The endpoints of a run, with the keys and headers of this worker.
 * @param theirs the coordinator's descriptor, as received from Redis
 * @param own the endpoints that this worker was started with
 * @throws UserError for an endpoint that this worker was not started with
 */
export function adoptEndpoints(theirs: unknown, own: readonly EndpointOptions[]): ServerOptions {
    const parsed = queued.safeParse(theirs);
    if (!parsed.success) throw new UserError('its endpoints are invalid');
    return {
        endpoints: parsed.data.endpoints.map((one) => adoptEndpoint(one, own)),
        retryEndpoints: [],
        limits: 'fixed',
        endpointWait: null,
        firstTimeout: null,
    };
}

function adoptEndpoint(theirs: QueuedEndpoint, own: readonly EndpointOptions[]): EndpointOptions {
    const { name, url, keyName, deployments, apiVersion, provider } = theirs;
    const same = own.filter((one) => displayAddress(one.url) === url);
    const known = same.find((one) => nameKey(one) === keyName) ?? (same.length === 1 ? same[0] : undefined);
    if (known === undefined) {
        throw new UserError(
            same.length === 0
                ? `it uses ${url}: start this worker with --endpoint ${url}`
                : `it uses ${url} with the key in ${keyName ?? 'no variable'}, but this worker has other keys`,
        );
    }
    const { token, headers, tokenHeader } = known;
    return {
        name,
        url: known.url,
        concurrency: null,
        rate: null,
        token,
        headers,
        ...(tokenHeader === undefined ? {} : { tokenHeader }),
        ...(deployments === undefined ? {} : { deployments }),
        ...(apiVersion === undefined ? {} : { apiVersion }),
        ...(provider === undefined ? {} : { provider }),
    };
}

/** Fails at start-up if a key of a worker is missing. @throws UserError that names the variable or the file */
export function checkTokens(own: readonly EndpointOptions[]): void {
    for (const { token } of own) if (token !== null) readToken(token);
}

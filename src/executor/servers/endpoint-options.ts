import { parseEndpoints } from '../../endpoint/address.js';
import { ENV_REFERENCE, readReference } from '../../util/secrets.js';
import type { EndpointOptions } from '../descriptor.js';

/** An endpoint as given in a config file or on the command line: its address may stand for several. */
export interface GivenEndpoint {
    readonly url: string;
    /** The addresses that `url` stands for, if already known. */
    readonly addresses?: readonly string[] | undefined;
    readonly concurrency?: number | undefined;
    readonly rate?: number | undefined;
    readonly token?: EndpointOptions['token'] | undefined;
    readonly headers?: Readonly<Record<string, string>> | undefined;
    readonly account?: string | undefined;
    readonly 'requests-per-minute'?: number | undefined;
    readonly 'tokens-per-minute'?: number | undefined;
    readonly deployments?: Readonly<Record<string, string>> | undefined;
    readonly 'api-version'?: string | undefined;
}

/**
 * Expands comma lists and ranges: each address gets the settings of the first entry that names it. Further entries count only if
 * all entries of the address have tokens and these differ: several keys of one service.
 * @param option for messages: `--endpoint`
 * @throws UserError for an invalid address
 */
export function expandEndpoints(given: readonly GivenEndpoint[], option: string): readonly EndpointOptions[] {
    const all = new Map<string, EndpointOptions[]>();
    for (const one of given) {
        const { url, addresses, concurrency, rate, token, headers, account, deployments } = one;
        const requestsPerMinute = one['requests-per-minute'];
        const tokensPerMinute = one['tokens-per-minute'];
        const apiVersion = one['api-version'];
        for (const address of addresses ?? parseEndpoints([withReferences(url, option)], option)) {
            const before = all.get(address) ?? [];
            if (before.some((other) => isSameKey(other.token, token ?? null))) continue;
            before.push({
                url: address,
                concurrency: concurrency ?? null,
                rate: rate ?? null,
                token: token ?? null,
                headers: headers ?? {},
                ...(account === undefined ? {} : { account }),
                ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
                ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
                ...(deployments === undefined ? {} : { deployments }),
                ...(apiVersion === undefined ? {} : { apiVersion }),
            });
            all.set(address, before);
        }
    }
    return [...all.values()].flat();
}

const isSameKey = (one: EndpointOptions['token'], other: EndpointOptions['token']): boolean =>
    one === null || other === null || JSON.stringify(one) === JSON.stringify(other);

/**
 * An address with the variables of `{env:NAME}` filled in. Values are encoded if they could otherwise change the structure of the
 * address.
 */
function withReferences(url: string, option: string): string {
    return url.replace(ENV_REFERENCE, (_, name: string) => {
        const value = readReference(name, option);
        return /^[\w.:~-]+$/.test(value) ? value : encodeURIComponent(value);
    });
}

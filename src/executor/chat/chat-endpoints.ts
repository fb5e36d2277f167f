import { displayAddress } from '../../endpoint/address.js';
import { type TokenSource, readToken } from '../../endpoint/secrets.js';
import { UserError } from '../../util/user-error.js';
import type { EndpointOptions, ServerOptions } from '../descriptor.js';
import { expandEndpoints, type GivenEndpoint } from '../servers/endpoint-options.js';
import type { ServerConfig } from '../servers/server-options.js';
import {
    AZURE_API_VERSION,
    namesDeployment,
    type ProviderName,
    findProviderKey,
    findProviderByHost,
    providerTokenHeader,
    findProviderUrl,
    providerUrlVariable,
} from './providers.js';

/** Which services are asked, as the options say it. */
export interface ServiceConfig {
    readonly servers: Pick<ServerConfig, 'endpoints' | 'limits' | 'endpointWait'>;
    /** `--provider`: with endpoints, what these are; without, where to find them. */
    readonly providers: readonly ProviderName[];
    /** `--api-key-env`: a variable, or several separated by commas, each a key of every endpoint without one of its own. */
    readonly apiKeyEnv: string | null;
    /** For every endpoint that names none of its own; null: no limit. */
    readonly requestsPerMinute: number | null;
    readonly tokensPerMinute: number | null;
}

/**
 * Endpoints with where their keys are: one for each pair of address and key. A key itself is read only to see that it is
 * there.
 * @param models that will be asked for, as far as they are known
 * @throws UserError for what is not an address, and for a key that is not set
 */
export function planEndpoints(config: ServiceConfig, models: readonly string[]): ServerOptions {
    const { limits, endpointWait } = config.servers;
    const endpoints = givenEndpoints(config).flatMap((one) => withKeys(one, config));
    for (const { token } of endpoints) if (token !== null) readToken(token);
    for (const model of models) {
        if (
            endpoints.some(
                ({ deployments }) => deployments === undefined || Object.hasOwn(deployments, model),
            )
        )
            continue;
        throw new UserError(`no endpoint serves the model ${model}: see "deployments" of the endpoints`);
    }
    return { endpoints, retryEndpoints: [], limits, endpointWait, firstTimeout: null };
}

/**
 * Says which deployments stand for a model under another name. Only the configuration decides that.
 * @param models that will be asked for; empty: not known before the rows are read, so that all deployments are told
 */
export function describeDeployments(
    { endpoints }: ServerOptions,
    models: readonly string[],
): readonly string[] {
    const lines = endpoints.flatMap(({ url, deployments = {} }) =>
        Object.entries(deployments)
            .filter(([model, name]) => name !== model && (models.length === 0 || models.includes(model)))
            .map(([model, name]) => `${displayAddress(url)}: the deployment ${name} answers as ${model}`),
    );
    // A server with several keys is several endpoints.
    return [...new Set(lines)];
}

function givenEndpoints({ servers, providers }: ServiceConfig): readonly EndpointOptions[] {
    if (servers.endpoints.length > 0) return expandEndpoints(servers.endpoints, '--endpoint');
    const presets = providers.map((name): GivenEndpoint => {
        const url = findProviderUrl(name);
        if (url !== null) return { url };
        throw new UserError(
            `--provider ${name} needs --endpoint <base URL>, or the variable ${providerUrlVariable(name)}`,
        );
    });
    return expandEndpoints(presets, '--provider');
}

function withKeys(endpoint: EndpointOptions, config: ServiceConfig): readonly EndpointOptions[] {
    const { hostname, pathname } = new URL(endpoint.url);
    const [told = null] = config.servers.endpoints.length > 0 ? config.providers : [];
    const provider = told ?? findProviderByHost(hostname);
    const tokenHeader = provider === null ? undefined : providerTokenHeader(provider);
    const version = endpoint.apiVersion ?? (namesDeployment(pathname) ? AZURE_API_VERSION : undefined);
    return listKeys(endpoint, provider, config.apiKeyEnv).map((token) => ({
        ...endpoint,
        token,
        account: endpoint.account ?? nameAccount(token, endpoint.url),
        requestsPerMinute: endpoint.requestsPerMinute ?? config.requestsPerMinute,
        tokensPerMinute: endpoint.tokensPerMinute ?? config.tokensPerMinute,
        ...(provider === null ? {} : { provider }),
        ...(tokenHeader === undefined ? {} : { tokenHeader }),
        ...(version === undefined ? {} : { apiVersion: version }),
    }));
}

function listKeys(
    { token }: EndpointOptions,
    provider: ProviderName | null,
    apiKeyEnv: string | null,
): readonly (TokenSource | null)[] {
    if (token !== null) return [token];
    const names = (apiKeyEnv ?? '').split(',').map((name) => name.trim());
    const given = names.filter((name) => name !== '').map((env) => ({ env }));
    if (given.length > 0) return given;
    return [provider === null ? null : findProviderKey(provider)];
}

/** Services count by the key's account, wherever the key is used; without a key, by the server. */
function nameAccount(token: TokenSource | null, url: string): string {
    if (token === null) return url;
    return 'env' in token ? `key in ${token.env}` : `key in ${token.file}`;
}

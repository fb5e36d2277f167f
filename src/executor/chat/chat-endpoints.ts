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

/** Which services are used, as given by the options. */
export interface ServiceConfig {
    readonly servers: Pick<ServerConfig, 'endpoints' | 'limits' | 'endpointWait'>;
    /** `--provider`: with endpoints, the provider that serves them; without, where to find the endpoints. */
    readonly providers: readonly ProviderName[];
    /**
     * `--api-key-env`: one variable, or several separated by commas; each holds a key for every endpoint without a key of its
     * own.
     */
    readonly apiKeyEnv: string | null;
    /** For every endpoint without a limit of its own; null: no limit. */
    readonly requestsPerMinute: number | null;
    readonly tokensPerMinute: number | null;
}

/**
 * The endpoints and where their keys are stored: one endpoint for each pair of address and key. A key itself is read only to
 * check that it is set.
 * @param models models that will be used, as far as they are known
 * @throws UserError for an invalid address or a key that is not set
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
 * Lists deployments that serve a model under another name, which only the configuration determines.
 * @param models models that will be used; empty: not known before the rows are read, so all deployments are listed
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
    // A server with several keys counts as several endpoints.
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

/** Services count usage by the account of the key, wherever the key is used; without a key, by the server. */
function nameAccount(token: TokenSource | null, url: string): string {
    if (token === null) return url;
    return 'env' in token ? `key in ${token.env}` : `key in ${token.file}`;
}

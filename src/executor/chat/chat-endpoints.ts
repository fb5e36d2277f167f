import { readToken } from '../../endpoint/secrets.js';
import type { EndpointOptions, ServerOptions } from '../descriptor.js';
import { expandEndpoints } from '../servers/endpoint-options.js';
import type { ChatConfig } from './chat-kind.js';

/** Variables that hold the keys of known services. Keys are sent to these hosts only, unless an endpoint names its own. */
const KEYS: readonly (readonly [host: RegExp, variable: string])[] = [
    [/^api\.openai\.com$/, 'OPENAI_API_KEY'],
    [/(^|\.)openai\.azure\.com$/, 'AZURE_OPENAI_API_KEY'],
    [/^open\.bigmodel\.cn$|^api\.z\.ai$/, 'BIGMODEL_API_KEY'],
    [/^api\.deepseek\.com$/, 'DEEPSEEK_API_KEY'],
    [/^dashscope(-intl)?\.aliyuncs\.com$/, 'DASHSCOPE_API_KEY'],
    [/^openrouter\.ai$/, 'OPENROUTER_API_KEY'],
];

/** Azure takes a key in a header of its own. */
const KEY_HEADER = /(^|\.)openai\.azure\.com$/;

/**
 * Endpoints with where their keys are. A key itself is read only to see that it is there.
 * @throws UserError for what is not an address, and for a key that is not set
 */
export function planEndpoints({
    servers,
    apiKeyEnv,
}: Pick<ChatConfig, 'servers' | 'apiKeyEnv'>): ServerOptions {
    const endpoints = expandEndpoints(servers.endpoints, '--endpoint').map((one) => withKey(one, apiKeyEnv));
    for (const { token } of endpoints) if (token !== null) readToken(token);
    const { limits, endpointWait } = servers;
    return { endpoints, retryEndpoints: [], limits, endpointWait, firstTimeout: null };
}

function withKey(endpoint: EndpointOptions, apiKeyEnv: string | null): EndpointOptions {
    const { hostname } = new URL(endpoint.url);
    const variable = apiKeyEnv ?? KEYS.find(([host]) => host.test(hostname))?.[1] ?? null;
    const token = endpoint.token ?? (variable === null ? null : { env: variable });
    return { ...endpoint, token, ...(KEY_HEADER.test(hostname) ? { tokenHeader: 'api-key' as const } : {}) };
}

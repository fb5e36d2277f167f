import type { TokenSource } from '../../endpoint/secrets.js';

/** What must be known about a language model service besides its base URL. */
interface Provider {
    /** Null: each user has their own. */
    readonly url: string | null;
    /** Variable that holds the base URL if `url` is null. */
    readonly urlVariable?: string;
    /** Hosts that its key is sent to by default. */
    readonly host: RegExp;
    /** Variable that holds its key; null: the service takes none. */
    readonly keyVariable: string | null;
    readonly tokenHeader?: 'api-key';
    /** Name of the field that limits an answer's tokens; absent: `max_tokens`. */
    readonly maxTokensField?: 'max_completion_tokens';
}

export const PROVIDER_NAMES = [
    'openai',
    'azure',
    'bigmodel',
    'deepseek',
    'dashscope',
    'openrouter',
    'local',
] as const;

export type ProviderName = (typeof PROVIDER_NAMES)[number];

const PROVIDERS: Readonly<Record<ProviderName, Provider>> = {
    openai: {
        url: 'https://api.openai.com/v1',
        host: /^api\.openai\.com$/,
        keyVariable: 'OPENAI_API_KEY',
        maxTokensField: 'max_completion_tokens',
    },
    azure: {
        url: null,
        urlVariable: 'AZURE_OPENAI_ENDPOINT',
        host: /(^|\.)(openai\.azure\.com|cognitiveservices\.azure\.com|services\.ai\.azure\.com)$/,
        keyVariable: 'AZURE_OPENAI_API_KEY',
        tokenHeader: 'api-key',
        maxTokensField: 'max_completion_tokens',
    },
    bigmodel: {
        url: 'https://open.bigmodel.cn/api/paas/v4',
        host: /^open\.bigmodel\.cn$|^api\.z\.ai$/,
        keyVariable: 'BIGMODEL_API_KEY',
    },
    deepseek: {
        url: 'https://api.deepseek.com/v1',
        host: /^api\.deepseek\.com$/,
        keyVariable: 'DEEPSEEK_API_KEY',
    },
    dashscope: {
        url: 'https://dashscope.aliyuncs.com/compatible-mode/v1',
        host: /^dashscope(-intl)?\.aliyuncs\.com$/,
        keyVariable: 'DASHSCOPE_API_KEY',
    },
    openrouter: {
        url: 'https://openrouter.ai/api/v1',
        host: /^openrouter\.ai$/,
        keyVariable: 'OPENROUTER_API_KEY',
    },
    local: { url: 'http://127.0.0.1:8000/v1', host: /^$/, keyVariable: null },
};

/** Base URL of a provider; null if the user's is not known. */
export function findProviderUrl(name: ProviderName, env: NodeJS.ProcessEnv = process.env): string | null {
    const { url, urlVariable } = PROVIDERS[name];
    if (url !== null || urlVariable === undefined) return url;
    const given = env[urlVariable]?.trim().replace(/\/+$/, '') ?? '';
    // If only the resource is given, as the portal shows it, use the versionless form of its API.
    return given === '' ? null : /\/openai(\/|$)/.test(given) ? given : `${given}/openai/v1`;
}

export const providerUrlVariable = (name: ProviderName): string => PROVIDERS[name].urlVariable ?? 'none';

/** The provider that a host belongs to; null: unknown. */
export function findProviderByHost(host: string): ProviderName | null {
    return PROVIDER_NAMES.find((name) => PROVIDERS[name].host.test(host)) ?? null;
}

/** Where the key of a provider is read from; null: the provider takes none. */
export function findProviderKey(name: ProviderName): TokenSource | null {
    const { keyVariable } = PROVIDERS[name];
    return keyVariable === null ? null : { env: keyVariable };
}

export const providerTokenHeader = (name: ProviderName): 'api-key' | undefined => PROVIDERS[name].tokenHeader;

export function chooseMaxTokensField(provider: string | undefined): 'max_tokens' | 'max_completion_tokens' {
    const name = PROVIDER_NAMES.find((one) => one === provider);
    return (name === undefined ? undefined : PROVIDERS[name].maxTokensField) ?? 'max_tokens';
}

/** Whether an Azure address names a deployment; this form requires an API version. */
export const namesDeployment = (pathname: string): boolean => /\/openai\/deployments\/[^/]+$/.test(pathname);

/** The default Azure API version: the last one that became generally available. */
export const AZURE_API_VERSION = '2024-10-21';

/** Variable that holds a provider's key; null: the provider takes none. */
export const providerKeyVariable = (name: ProviderName): string | null => PROVIDERS[name].keyVariable;

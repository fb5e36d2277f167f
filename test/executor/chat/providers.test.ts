import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
    describeDeployments,
    planEndpoints,
    type ServiceConfig,
} from '../../../src/executor/chat/chat-endpoints.js';
import { ChatClient } from '../../../src/executor/chat/chat-client.js';
import { buildChatBody } from '../../../src/executor/chat/chat-protocol.js';
import { ChatServer } from '../../rig/servers/chat-server.js';
import { contextOf } from '../../rig/servers/submissions.js';

const KEYS = ['OPENAI_API_KEY', 'AZURE_OPENAI_API_KEY', 'BIGMODEL_API_KEY', 'DEEPSEEK_API_KEY'].concat(
    'DASHSCOPE_API_KEY',
    'OPENROUTER_API_KEY',
    'KEY_A',
    'KEY_B',
    'MY_KEY',
);
const before = KEYS.map((name) => [name, process.env[name]] as const);
beforeAll(() => {
    for (const name of KEYS) process.env[name] = `secret-of-${name}`;
});
afterAll(() => {
    for (const [name, value] of before)
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
});

const service = (
    over: Partial<ServiceConfig> & { readonly endpoints?: ServiceConfig['servers']['endpoints'] },
): ServiceConfig => ({
    servers: { endpoints: over.endpoints ?? [], limits: 'adaptive', endpointWait: 1 },
    providers: [],
    apiKeyEnv: null,
    requestsPerMinute: null,
    tokensPerMinute: null,
    ...over,
});

const sampling = { model: 'gpt', temperature: null, topP: null, maxTokens: 9, seed: null };
const messages = [{ role: 'user', content: 'hello' }] as const;

describe('services of language models', () => {
    it.each([
        ['openai', 'https://api.openai.com/v1', 'OPENAI_API_KEY', 'max_completion_tokens'],
        ['bigmodel', 'https://open.bigmodel.cn/api/paas/v4', 'BIGMODEL_API_KEY', 'max_tokens'],
        ['deepseek', 'https://api.deepseek.com/v1', 'DEEPSEEK_API_KEY', 'max_tokens'],
        ['dashscope', 'https://dashscope.aliyuncs.com/compatible-mode/v1', 'DASHSCOPE_API_KEY', 'max_tokens'],
        ['openrouter', 'https://openrouter.ai/api/v1', 'OPENROUTER_API_KEY', 'max_tokens'],
    ] as const)('knows %s by its name and by its address', (name, url, variable, field) => {
        for (const config of [service({ providers: [name] }), service({ endpoints: [{ url }] })]) {
            const [endpoint] = planEndpoints(config, ['gpt']).endpoints;
            expect(endpoint).toMatchObject({ url, token: { env: variable }, provider: name });
            expect(buildChatBody({ sampling, messages }, { provider: endpoint?.provider })).toHaveProperty(
                field,
                9,
            );
        }
    });

    it('asks several services side by side, and a local one without a key', () => {
        const { endpoints } = planEndpoints(service({ providers: ['local', 'deepseek'] }), ['gpt']);
        expect(endpoints.map(({ url, token }) => [url, token])).toEqual([
            ['http://127.0.0.1:8000/v1', null],
            ['https://api.deepseek.com/v1', { env: 'DEEPSEEK_API_KEY' }],
        ]);
    });

    it('sends no known key to a host that it is not for', () => {
        const { endpoints } = planEndpoints(
            service({ endpoints: [{ url: 'https://api.openai.com.example.net/v1' }] }),
            ['gpt'],
        );
        expect(endpoints[0]?.token).toBeNull();
    });

    it('makes an endpoint of each key, which has limits of its own, and one limit of a key at two addresses', () => {
        const endpoints = [{ url: 'http://10.0.0.1/v1' }, { url: 'http://10.0.0.2/v1' }];
        const planned = planEndpoints(
            service({ endpoints, apiKeyEnv: 'KEY_A, KEY_B', tokensPerMinute: 100 }),
            ['gpt'],
        );
        expect(planned.endpoints.map(({ url, account }) => [url, account])).toEqual([
            ['http://10.0.0.1/v1', 'key in KEY_A'],
            ['http://10.0.0.1/v1', 'key in KEY_B'],
            ['http://10.0.0.2/v1', 'key in KEY_A'],
            ['http://10.0.0.2/v1', 'key in KEY_B'],
        ]);
        expect(planned.endpoints.every(({ tokensPerMinute }) => tokensPerMinute === 100)).toBe(true);
        const client = new ChatClient({ servers: planned, timeout: 1 });
        expect(
            client
                .endpoints()
                .map(({ endpoint }) => endpoint)
                .slice(0, 2),
        ).toEqual(['http://10.0.0.1/v1 [KEY_A]', 'http://10.0.0.1/v1 [KEY_B]']);
        expect(client.concurrency()).toBe(16);
    });

    it('speaks to Azure in both of its forms', async () => {
        const server = new ChatServer();
        await server.start();
        const root = server.url.replace(/\/v1$/, '');
        const endpoints = [
            {
                url: `${root}/openai/deployments/gpt-eu`,
                token: { env: 'MY_KEY' },
                'api-version': '2025-01-01',
            },
            { url: `${root}/openai/v1`, token: { env: 'MY_KEY' }, deployments: { gpt: 'gpt-us' } },
        ];
        const config = service({ endpoints, providers: ['azure'] });
        const planned = planEndpoints(config, ['gpt']);
        for (const [index, path, model] of [
            [0, '/openai/deployments/gpt-eu/chat/completions?api-version=2025-01-01', 'gpt'],
            [1, '/openai/v1/chat/completions', 'gpt-us'],
        ] as const) {
            const one = planned.endpoints.slice(index, index + 1);
            const client = new ChatClient({ servers: { ...planned, endpoints: one }, timeout: 5 });
            const result = await client.complete({ sampling, messages }, contextOf());
            await client.close();
            expect(result.kind).toBe('answered');
            const asked = server.requests.at(-1);
            expect(asked?.url).toBe(path);
            expect(asked?.body).toMatchObject({ model, max_completion_tokens: 9 });
            expect(asked?.headers['api-key']).toBe('secret-of-MY_KEY');
            expect(asked?.headers.authorization).toBeUndefined();
        }
        await server.stop();
        const azure = planEndpoints(
            service({ endpoints: [{ url: 'https://x.openai.azure.com/openai/deployments/d' }] }),
            ['gpt'],
        );
        expect(azure.endpoints[0]).toMatchObject({ apiVersion: '2024-10-21', tokenHeader: 'api-key' });
    });

    it('says which deployments stand for a model, and folds none that the configuration does not name', () => {
        const planned = planEndpoints(
            service({
                endpoints: [
                    { url: 'http://a/v1', deployments: { gpt: 'gpt-2', same: 'same', other: 'other-3' } },
                    { url: 'http://b/v1', deployments: { gpt: 'gpt-2' } },
                    { url: 'http://c/v1' },
                ],
            }),
            ['gpt'],
        );
        expect(describeDeployments(planned, ['gpt'])).toEqual([
            'http://a/v1: the deployment gpt-2 answers as gpt',
            'http://b/v1: the deployment gpt-2 answers as gpt',
        ]);
        // Models named by rows are not known yet.
        expect(describeDeployments(planned, [])).toHaveLength(3);
    });

    it('says what is missing', () => {
        const wrong = (config: ServiceConfig) => () => planEndpoints(config, ['gpt']);
        expect(wrong(service({ providers: ['azure'] }))).toThrow('AZURE_OPENAI_ENDPOINT');
        expect(wrong(service({ endpoints: [{ url: 'http://a/v1', deployments: { other: 'x' } }] }))).toThrow(
            'no endpoint serves the model gpt',
        );
        expect(wrong(service({ endpoints: [{ url: 'http://a/v1' }], apiKeyEnv: 'NONE_SUCH' }))).toThrow(
            'NONE_SUCH is not set',
        );
    });
});

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { checkKeys } from '../../../src/executor/chat/check-keys.js';
import { checkServices } from '../../../src/executor/chat/check-services.js';

describe('keys of language models', () => {
    it('are judged without telling any part of them', () => {
        const secret = 'sk-0123456789abcdef';
        const env = {
            OPENAI_API_KEY: secret,
            DEEPSEEK_API_KEY: `${secret} `,
            BIGMODEL_API_KEY: `"${secret}"`,
            DASHSCOPE_API_KEY: `${secret}é`,
            OPENROUTER_API_KEY: 'your-key-here',
        };
        const found = checkKeys(env);
        const states = Object.fromEntries(found.map(({ variable, state }) => [variable, state]));
        expect(states).toEqual({
            OPENAI_API_KEY: 'ok',
            AZURE_OPENAI_API_KEY: 'missing',
            BIGMODEL_API_KEY: 'problem',
            DEEPSEEK_API_KEY: 'problem',
            DASHSCOPE_API_KEY: 'problem',
            OPENROUTER_API_KEY: 'problem',
        });
        for (let at = 0; at + 4 <= secret.length; at += 1)
            expect(JSON.stringify(found)).not.toContain(secret.slice(at, at + 4));
    });

    it('are tried at the services that are named, and no answer that may show them is repeated', async () => {
        const secret = 'sk-0123456789abcdef';
        const seen: (string | undefined)[] = [];
        const server = createServer((request, response) => {
            seen.push(request.headers.authorization);
            const isGood = request.url === '/good/v1/models';
            response.statusCode = isGood ? 200 : request.url === '/bare/v1/models' ? 404 : 401;
            response.end(isGood ? '{"data":[]}' : `{"error":{"message":"Incorrect API key: ${secret}"}}`);
        });
        await new Promise<void>((resolve) => {
            server.listen(0, '127.0.0.1', resolve);
        });
        process.env['CHECKED_KEY'] = secret;
        try {
            const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
            const urls = [`${host}/good/v1`, `${host}/bare/v1`, `${host}/bad/v1`, 'http://127.0.0.1:9/v1'];
            const ask = (apiKeyEnv: string) =>
                checkServices({ endpoints: urls.map((url) => ({ url })), providers: [], apiKeyEnv });
            const found = await ask('CHECKED_KEY');
            expect(found.map(({ state, detail }) => [state, detail.replace(/\d+ ms/, 'n ms')])).toEqual([
                ['ok', 'answers (n ms)'],
                ['ok', 'answers; it has no list of models (status 404)'],
                ['problem', 'refuses the key, or needs one (status 401)'],
                ['problem', expect.stringContaining('cannot be reached')],
            ]);
            expect(seen).toEqual([secret, secret, secret].map((key) => `Bearer ${key}`));
            expect(JSON.stringify(found)).not.toContain(secret.slice(0, 6));
            const [unset] = await ask('NO_SUCH_KEY');
            expect(unset).toMatchObject({ state: 'problem', detail: expect.stringContaining('NO_SUCH_KEY') });
        } finally {
            delete process.env['CHECKED_KEY'];
            server.close();
        }
    });
});

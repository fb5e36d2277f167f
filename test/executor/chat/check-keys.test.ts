import { describe, expect, it } from 'vitest';
import { checkKeys } from '../../../src/executor/chat/check-keys.js';

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
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createChat } from '../../../src/executor/chat/chat.js';
import { classifyChatError } from '../../../src/executor/chat/chat-error.js';
import type { ChatDescriptor } from '../../../src/executor/chat/chat-kind.js';
import type { Outcome } from '../../../src/model/task.js';
import { buildCompletion, type ChatFault, ChatServer } from '../../rig/servers/chat-server.js';
import { contextOf } from '../../rig/servers/submissions.js';
import { chatDescriptor, taskOf } from './chat-rig.js';

const server = new ChatServer();
const closing: { close(): Promise<void> }[] = [];

beforeEach(async () => {
    server.requests.length = 0;
    await server.start();
});
afterEach(async () => {
    await Promise.all(closing.splice(0).map((one) => one.close()));
    await server.stop();
});

/** Asks a server that gives this answer the first time and good ones from then on. */
function ask(fault: ChatFault, over: Partial<ChatDescriptor> = {}): Promise<Outcome> {
    server.fault = (_, seen) => (seen === 1 ? fault : null);
    const executor = createChat(chatDescriptor([server.url], over));
    closing.push(executor);
    return executor.run(taskOf({ prompt: 'hello' }), contextOf());
}

const body = (json: unknown): ChatFault => ({ kind: 'body', text: JSON.stringify(json) });

const message = (finishReason: string, content: string | null = 'Half an ans'): ChatFault => ({
    kind: 'message',
    message: { content },
    finishReason,
});

/** A completion whose only choice broke off. */
const brokenChoice = (error: object): ChatFault => {
    const whole = JSON.parse(buildCompletion({ content: 'Half' }, 'error', 'p')) as { choices: object[] };
    return body({ ...whole, choices: [{ ...whole.choices[0], error }] });
};

const events = (...chunks: readonly (object | string)[]): ChatFault => ({
    kind: 'body',
    text: chunks
        .map((chunk) => (typeof chunk === 'string' ? chunk : `data: ${JSON.stringify(chunk)}`))
        .map((line) => `${line}\n\n`)
        .join(''),
});

const delta = (content: object, finishReason: string | null = null): object => ({
    choices: [{ index: 0, delta: content, finish_reason: finishReason }],
});

describe('answers whose service failed on the way', () => {
    it.each<[string, ChatFault]>([
        ['finish_reason error (OpenRouter)', message('error')],
        ['finish_reason network_error (BigModel)', message('network_error')],
        ['finish_reason insufficient_system_resource (DeepSeek)', message('insufficient_system_resource')],
    ])('are a failure of the attempt, not what the model said: %s', async (_, fault) => {
        expect(await ask(fault)).toMatchObject({
            kind: 'failure',
            failure: { reason: 'endpoint', message: expect.stringContaining('broke its answer off') },
        });
        expect(server.requests).toHaveLength(1);
    });

    it.each<[string, ChatFault]>([
        ['429 in a body of status 200', body({ error: { code: 429, message: 'slow down' } })],
        ['502 in a body of status 200', body({ error: { code: 502, message: 'the model is down' } })],
        ['503 of its choice', brokenChoice({ code: 503, message: 'no provider' })],
    ])('are asked again where they turned the request away: %s', async (_, fault) => {
        expect(await ask(fault)).toMatchObject({ kind: 'verdict', verdict: 'Accepted' });
        expect(server.requests).toHaveLength(2);
    });

    it('end the endpoint where no credit is left, as OpenRouter says it with status 200', async () => {
        const fault = body({ error: { code: 402, message: 'add more credits' } });
        expect(await ask(fault)).toMatchObject({ kind: 'failure', failure: { reason: 'endpoint' } });
        expect(server.requests).toHaveLength(1);
    });

    it('are heard in the middle of a stream', async () => {
        const fault = events(
            ': OPENROUTER PROCESSING',
            delta({ content: 'Half' }),
            { error: { code: 502, message: 'gone' }, ...delta({ content: '' }, 'error') },
            'data: [DONE]',
        );
        expect(await ask(fault, { stream: true })).toMatchObject({ kind: 'verdict', verdict: 'Accepted' });
        expect(server.requests).toHaveLength(2);
    });
});

describe('filters', () => {
    it.each<[string, ChatFault]>([
        ['sensitive (BigModel)', message('sensitive', null)],
        ['sensitive, after some text', message('sensitive')],
        ['content_filter, after some text', message('content_filter')],
        [
            'moderation of OpenRouter',
            {
                kind: 'status',
                status: 403,
                error: {
                    code: 403,
                    message: 'openai/gpt-4o requires moderation on OpenAI',
                    metadata: { reasons: ['violence'], flagged_input: 'hel...', provider_name: 'OpenAI' },
                },
            },
        ],
        [
            'inspection of DashScope',
            { kind: 'status', status: 400, error: { code: 'DataInspectionFailed', message: 'no' } },
        ],
        [
            'a refusal beside an empty text',
            { kind: 'message', message: { content: '', refusal: 'No.' }, finishReason: 'stop' },
        ],
    ])('refuse the task and nothing else: %s', async (_, fault) => {
        expect(await ask(fault)).toMatchObject({ kind: 'verdict', verdict: 'Refused' });
        expect(server.requests).toHaveLength(1);
    });

    it('refuse in a stream, and what was said before is kept', async () => {
        const fault = events(delta({ content: 'Half' }), delta({}, 'content_filter'), 'data: [DONE]');
        expect(await ask(fault, { stream: true })).toMatchObject({
            verdict: 'Refused',
            result: { answer: 'Half', refused_by: 'filter', finish_reason: 'content_filter' },
        });
    });
});

describe('reading', () => {
    it('takes the reasoning that OpenRouter shows', async () => {
        const fault: ChatFault = {
            kind: 'message',
            message: { content: 'four', reasoning: 'two and two' },
            finishReason: 'stop',
        };
        expect(await ask(fault)).toMatchObject({ result: { answer: 'four', reasoning: 'two and two' } });
    });

    it('takes a stream with comments, reasoning, and its usage after the last choice', async () => {
        const fault = events(
            '\uFEFF: OPENROUTER PROCESSING',
            ': keep-alive',
            delta({ role: 'assistant', reasoning: 'two ' }),
            delta({ reasoning_content: 'and two' }),
            delta({ content: 'four' }, 'stop'),
            { choices: [], usage: { prompt_tokens: 3, completion_tokens: 5 } },
            'data: [DONE]',
        );
        expect(await ask(fault, { stream: true })).toMatchObject({
            verdict: 'Accepted',
            result: { answer: 'four', reasoning: 'two and two', prompt_tokens: 3, completion_tokens: 5 },
        });
    });

    it.each([
        ['an answer', `\uFEFF${buildCompletion({ content: 'x' }, 'stop', 'p')}`, false],
        ['a stream', `\uFEFFdata: ${JSON.stringify(delta({ content: 'x' }, 'stop'))}\n\n`, true],
    ])('takes a byte order mark before %s', async (_, text, stream) => {
        expect(await ask({ kind: 'body', text }, { stream })).toMatchObject({ result: { answer: 'x' } });
    });
});

describe('a quota that is used up', () => {
    const code = 'insufficient_quota';
    const answer = { status: 429, body: Buffer.from(JSON.stringify({ error: { code, message: 'no' } })) };

    it("ends an endpoint, but DashScope's is one by the minute", () => {
        expect(classifyChatError(answer, '').class).toBe('quota');
        expect(classifyChatError({ ...answer, provider: 'openai' }, '').class).toBe('quota');
        expect(classifyChatError({ ...answer, provider: 'dashscope' }, '').class).toBe('rate');
    });

    it('is one by the minute for requests to an endpoint of DashScope', async () => {
        const { servers } = chatDescriptor([server.url]);
        const endpoints = servers.endpoints.map((endpoint) => ({ ...endpoint, provider: 'dashscope' }));
        const fault: ChatFault = { kind: 'status', status: 429, error: { code, message: 'no' } };
        const outcome = await ask(fault, { servers: { ...servers, endpoints } });
        expect(outcome).toMatchObject({ kind: 'verdict', verdict: 'Accepted' });
        expect(server.requests).toHaveLength(2);
    });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createChat } from '../../../src/executor/chat/chat.js';
import { ChatClient } from '../../../src/executor/chat/chat-client.js';
import type { ChatDescriptor } from '../../../src/executor/chat/chat-kind.js';
import type { ScoringDescriptor } from '../../../src/executor/chat/scoring/scoring.js';
import { buildUsageFields } from '../../../src/executor/chat/usage.js';
import type { ServerExecutor } from '../../../src/executor/servers/server-executor.js';
import { recordOfEntry } from '../../../src/results/collect/checkpoint-records.js';
import type { Scorer } from '../../../src/model/scorer.js';
import type { Outcome } from '../../../src/model/task.js';
import { type ChatFault, ChatServer, buildCompletion } from '../../rig/servers/chat-server.js';
import { contextOf } from '../../rig/servers/submissions.js';
import { patience } from '../../rig/slowness.js';
import { chatDescriptor, serversOf, taskOf } from './chat-rig.js';

const server = new ChatServer();
const other = new ChatServer();
const closing: { close(): Promise<void> }[] = [];

beforeEach(async () => {
    for (const one of [server, other]) {
        one.requests.length = 0;
        one.fault = () => null;
        await one.start();
    }
});
afterEach(async () => {
    await Promise.all(closing.splice(0).map((one) => one.close()));
    await Promise.all([server.stop(), other.stop()]);
});

/** An executor over these endpoints, closed after the test. */
function chat(over: Partial<ChatDescriptor> = {}, urls = [server.url]): ServerExecutor {
    const executor = createChat(chatDescriptor(urls, over));
    closing.push(executor);
    return executor;
}

const ask = (executor: ServerExecutor, prompt = 'hello'): Promise<Outcome> =>
    executor.run(taskOf({ prompt }), contextOf());

const scoringBy = (scorer: Scorer): ScoringDescriptor => ({
    scorer,
    expected: '{wanted}',
    judgePrompt: 'Grade {answer}, {expected} expected, to {question}',
    judgeMaxTokens: 77,
    codeTimeout: 10,
    fingerprint: 'score-v1',
    judge: null,
});

/** The fault when a prompt arrives for the first time; good answers from then on. */
const once =
    (fault: ChatFault) =>
    (_: unknown, seen: number): ChatFault | null =>
        seen === 1 ? fault : null;

describe('asking a model', () => {
    it('asks the model, and gives it the system message, that the row names', async () => {
        const executor = chat({
            sampling: { model: '{model}', temperature: null, topP: null, maxTokens: null, seed: null },
            system: '{role}',
        });
        const ask = (data: Record<string, string>) => executor.run(taskOf(data), contextOf());
        const first = await ask({ model: 'a', role: 'Be brief.', prompt: 'x' });
        expect(first).toMatchObject({ kind: 'verdict', result: { model: 'a' } });
        await ask({ model: 'b', role: '', prompt: 'y' });
        expect(server.requests.map(({ body }) => [body['model'], body['messages']])).toEqual([
            [
                'a',
                [
                    { role: 'system', content: 'Be brief.' },
                    { role: 'user', content: 'x' },
                ],
            ],
            ['b', [{ role: 'user', content: 'y' }]],
        ]);
        expect(await ask({ model: 'c', prompt: 'z' })).toMatchObject({
            kind: 'failure',
            failure: { message: expect.stringContaining('{role} of --system') },
        });
    });

    it('keeps the answer, the model that gave it and the tokens', async () => {
        const executor = chat({ system: 'Be brief.', promptTemplate: 'Say {prompt}, {who}!' });
        const outcome = await executor.run(taskOf({ prompt: 'hello', who: 'Ann' }), contextOf());
        expect(outcome).toMatchObject({
            kind: 'verdict',
            verdict: 'Accepted',
            result: {
                accepted: true,
                answer: 'SAY HELLO, ANN!',
                model: 'm',
                deployment: 'rig-model-2026-11-01',
                finish_reason: 'stop',
                prompt_tokens: 15,
                cached_tokens: 2,
                completion_tokens: 7,
                reasoning_tokens: 3,
                turns: 1,
                tool_calls: 0,
                // The price of this model is unknown, which is not the same as zero.
                cost: null,
            },
            by: { api_used: server.url },
        });
        expect(server.requests[0]?.body).toEqual({
            model: 'm',
            messages: [
                { role: 'system', content: 'Be brief.' },
                { role: 'user', content: 'Say hello, Ann!' },
            ],
            temperature: 0.3,
            max_tokens: 50,
        });
    });

    it('fills the columns of the results database, the price too', async () => {
        const prices = { date: '2026-11-01', models: { m: { input: 1, cached: 0.5, output: 2 } } };
        const outcome = await ask(chat({ prices }));
        if (outcome.kind !== 'verdict') throw new Error(outcome.kind);
        const key = { run: 'r', sample: 's', group: 'main', fingerprint: 'f', occurrence: 0 };
        const entry = { index: 0, result: outcome.result, attempts: [], fingerprint: 'f' };
        expect(recordOfEntry(entry, key)).toMatchObject({
            verdict: 'Accepted',
            model: 'm',
            model_raw: 'm',
            deployment: 'rig-model-2026-11-01',
            prompt_tokens: 5,
            cached_tokens: 2,
            completion_tokens: 7,
            reasoning_tokens: 3,
            cost: (3 * 1 + 2 * 0.5 + 7 * 2) / 1e6,
            turns: 1,
            tool_calls: 0,
        });
        const unpriced = await ask(chat());
        if (unpriced.kind !== 'verdict') throw new Error(unpriced.kind);
        expect(recordOfEntry({ ...entry, result: unpriced.result }, key)?.cost).toBeNull();
    });

    it('takes turns with tools', async () => {
        const call = { id: 'call-1', type: 'function', function: { name: 'add', arguments: '{"a":1}' } };
        const asksForTool = {
            kind: 'message',
            message: { content: null, tool_calls: [call] },
            finishReason: 'tool_calls',
        } as const;
        server.fault = ({ prompt }) => (prompt === 'sum' ? asksForTool : null);
        const client = new ChatClient({ ...serversOf([server.url]), timeout: 5 });
        closing.push(client);
        const tools = [{ name: 'add', description: 'Adds', parameters: { type: 'object' } }];
        const question = { role: 'user', content: 'sum' } as const;
        const sampling = { model: 'm', temperature: null, topP: null, maxTokens: null, seed: null };
        const first = await client.complete({ sampling, tools, messages: [question] }, contextOf());
        if (first.kind !== 'answered') throw new Error(first.kind);
        const { toolCalls } = first.answer;
        expect(toolCalls).toEqual([{ id: 'call-1', name: 'add', arguments: '{"a":1}' }]);
        const messages = [
            question,
            { role: 'assistant', content: null, toolCalls },
            { role: 'tool', toolCallId: 'call-1', content: 'three' },
        ] as const;
        const second = await client.complete({ sampling, tools, messages }, contextOf());
        if (second.kind !== 'answered') throw new Error(second.kind);
        expect(second.answer.content).toBe('THREE');
        expect(server.requests[1]?.body).toMatchObject({
            messages: [
                question,
                { role: 'assistant', content: null, tool_calls: [call] },
                { role: 'tool', tool_call_id: 'call-1', content: 'three' },
            ],
            tools: [{ type: 'function', function: { name: 'add', parameters: { type: 'object' } } }],
        });
        expect(buildUsageFields('m', [first.answer, second.answer])).toMatchObject({
            model: 'm',
            turns: 2,
            tool_calls: 1,
            prompt_tokens: 'sum'.length + 'three'.length,
            completion_tokens: 14,
        });
    });

    it('reads blank lines before the JSON', async () => {
        server.fault = once({
            kind: 'body',
            text: `\n\n\n${buildCompletion({ content: 'x' }, 'stop', 'p')}`,
        });
        expect(await ask(chat())).toMatchObject({ kind: 'verdict', result: { answer: 'x' } });
    });

    it.each<[string, ChatFault]>([
        [
            'its own refusal',
            { kind: 'message', message: { content: null, refusal: 'No.' }, finishReason: 'stop' },
        ],
        ['its filter', { kind: 'message', message: { content: null }, finishReason: 'content_filter' }],
        [
            "the service's filter",
            { kind: 'status', status: 400, error: { code: 'content_filter', message: 'no' } },
        ],
        ['the filter of BigModel', { kind: 'status', status: 400, error: { code: '1301', message: 'no' } }],
    ])('calls it Refused, not a failure: %s', async (_, fault) => {
        server.fault = () => fault;
        expect(await ask(chat())).toMatchObject({
            kind: 'verdict',
            verdict: 'Refused',
            result: { accepted: false, answer: null },
        });
    });

    it.each<[string, Record<string, unknown>, string]>([
        ['nothing', { content: null }, 'stop'],
        ['white space', { content: ' \n' }, 'stop'],
        ['reasoning alone', { content: null, reasoning_content: 'Well ...' }, 'length'],
        ['tools that nobody offered', { content: null, tool_calls: [] }, 'tool_calls'],
    ])('does not accept an answer without text: %s', async (_, message, finishReason) => {
        server.fault = () => ({ kind: 'message', message, finishReason });
        expect(await ask(chat())).toMatchObject({
            kind: 'verdict',
            verdict: 'WrongAnswer',
            result: { accepted: false, verdict: 'WrongAnswer', finish_reason: finishReason },
        });
    });

    it.each<[string, ChatFault, string]>([
        ['a reset', { kind: 'reset', inBody: false }, 'endpoint'],
        ['a reset in the body', { kind: 'reset', inBody: true }, 'endpoint'],
        ['nonsense', { kind: 'body', text: '<html>' }, 'endpoint'],
        ['no choice', { kind: 'body', text: '{"choices": []}' }, 'endpoint'],
        ['its machinery', { kind: 'status', status: 500 }, 'endpoint'],
        ['an invalid request', { kind: 'status', status: 400, error: { message: 'bad field' } }, 'refused'],
        ['a prompt that is too long', { kind: 'status', status: 400, error: { code: '1261' } }, 'refused'],
    ])(
        'ends the attempt with a failure after %s, and asks no second time by itself',
        async (_, fault, reason) => {
            server.fault = () => fault;
            expect(await ask(chat())).toMatchObject({ kind: 'failure', failure: { reason } });
            expect(server.requests).toHaveLength(1);
        },
    );

    it('ends a request that gets no answer within the timeout', async () => {
        server.fault = () => ({ kind: 'silence' });
        expect(await ask(chat({ timeout: 0.3 }))).toMatchObject({
            kind: 'failure',
            failure: { reason: 'endpoint', message: expect.stringContaining('no answer within') },
        });
    });

    it.each<[string, ChatFault]>([
        ['429', { kind: 'status', status: 429, headers: { 'retry-after-ms': '20' } }],
        ['503', { kind: 'status', status: 503 }],
        ['an overload of BigModel', { kind: 'status', status: 429, error: { code: '1305' } }],
        [
            'an error with status 200',
            { kind: 'body', text: '{"error": {"code": "1302", "message": "slow"}}' },
        ],
    ])('asks again, as part of the attempt, after %s', async (_, fault) => {
        server.fault = once(fault);
        expect(await ask(chat())).toMatchObject({ kind: 'verdict', verdict: 'Accepted' });
        expect(server.requests).toHaveLength(2);
    });

    it.each<[string, ChatFault]>([
        ['no credit', { kind: 'status', status: 429, error: { code: 'insufficient_quota' } }],
        ['no balance', { kind: 'status', status: 402 }],
        ['a wrong key', { kind: 'status', status: 401 }],
        ['an account in arrears', { kind: 'status', status: 429, error: { code: '1113' } }],
    ])('leaves an endpoint alone for good after %s', async (_, fault) => {
        server.fault = () => fault;
        const executor = chat({}, [server.url, other.url]);
        for (let i = 0; i < 6; i += 1) {
            expect(await ask(executor, `p${i}`)).toMatchObject({
                kind: 'verdict',
                by: { api_used: other.url },
            });
        }
        expect(server.requests).toHaveLength(1);
    });

    it('fails without an endpoint that takes its key', async () => {
        server.fault = () => ({ kind: 'status', status: 401, error: { message: 'wrong key' } });
        expect(await ask(chat())).toMatchObject({
            kind: 'failure',
            failure: {
                reason: 'endpoint',
                message: expect.stringContaining('all endpoints refuse our requests'),
            },
        });
    });

    it('never has more requests in flight than the endpoint is to take, and as many as that', async () => {
        server.latency = 200;
        const executor = chat();
        await Promise.all(Array.from({ length: 24 }, (_, i) => ask(executor, `p${i}`)));
        expect(server.mostInFlight).toBe(8);
        server.latency = 0;
    });

    it('has 256 requests in flight where 256 are wanted', async () => {
        server.fault = () => ({ kind: 'silence' });
        const executor = chat({ timeout: patience(30_000) / 1000 });
        executor.widenTo?.(256);
        for (let i = 0; i < 300; i += 1) void ask(executor, `p${i}`);
        // None is answered, so all requests that arrived are in flight.
        await expect.poll(() => server.requests.length, { timeout: patience(10_000) }).toBe(256);
    });

    it('names the field that a row does not have', async () => {
        const outcome = await chat().run(taskOf({ text: 'x' }), contextOf());
        expect(outcome).toMatchObject({
            kind: 'failure',
            failure: { message: expect.stringContaining('{prompt}') },
        });
        expect(server.requests).toHaveLength(0);
    });

    it('scores answers, and asks nothing where there is nothing to compare with', async () => {
        const scoring = scoringBy({ kind: 'contains' });
        const executor = chat({ scoring });
        const run = (data: Record<string, string>) => executor.run(taskOf(data), contextOf());
        expect(await run({ prompt: 'it is paris', wanted: 'Paris' })).toMatchObject({
            verdict: 'Accepted',
            result: {
                accepted: true,
                score: 1,
                scorer: 'contains',
                expected: 'Paris',
                answer: 'IT IS PARIS',
            },
        });
        expect(await run({ prompt: 'rome', wanted: 'Paris' })).toMatchObject({
            verdict: 'WrongAnswer',
            result: { accepted: false, score: 0 },
        });
        const asked = server.requests.length;
        expect(await run({ prompt: 'rome' })).toMatchObject({
            kind: 'failure',
            failure: { message: expect.stringContaining('{wanted} of --expected') },
        });
        const numeric = chat({ scoring: scoringBy({ kind: 'numeric', tolerance: 0 }) });
        expect(await numeric.run(taskOf({ prompt: '4', wanted: 'four' }), contextOf())).toMatchObject({
            kind: 'failure',
            failure: { reason: 'judge-error', message: expect.stringContaining('is not a number') },
        });
        expect(server.requests.length).toBe(asked);
    });
});

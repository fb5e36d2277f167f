import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { createChat } from '../../../src/executor/chat/chat.js';
import { classifyChatError } from '../../../src/executor/chat/chat-error.js';
import type { ChatDescriptor } from '../../../src/executor/chat/chat-kind.js';
import { readChatStream } from '../../../src/executor/chat/chat-stream.js';
import { rateHeaderWait } from '../../../src/endpoint/rate-headers.js';
import type { PoolHooks } from '../../../src/endpoint/pool.js';
import type { ServerExecutor } from '../../../src/executor/servers/server-executor.js';
import type { Outcome } from '../../../src/model/task.js';
import { type ChatFault, ChatServer } from '../../rig/servers/chat-server.js';
import { contextOf } from '../../rig/servers/submissions.js';
import { chatDescriptor, taskOf } from './chat-rig.js';

const server = new ChatServer();
const closing: ServerExecutor[] = [];
beforeAll(() => server.start());
afterAll(() => server.stop());
beforeEach(() => {
    server.requests.length = 0;
    server.latency = 0;
    server.fault = () => null;
});
afterEach(async () => {
    await Promise.all(closing.splice(0).map((one) => one.close()));
});

function chat(over: Partial<ChatDescriptor> = {}, hooks: PoolHooks = {}): ServerExecutor {
    const executor = createChat(chatDescriptor([server.url], over), hooks);
    closing.push(executor);
    return executor;
}

const ask = (executor: ServerExecutor, row: Record<string, string>): Promise<Outcome> =>
    executor.run(taskOf(row), contextOf());

/** An endpoint that takes one request at a time. */
function oneAtATime(): Pick<ChatDescriptor, 'servers'> {
    const { servers } = chatDescriptor([server.url]);
    return {
        servers: { ...servers, endpoints: servers.endpoints.map((one) => ({ ...one, concurrency: 1 })) },
    };
}

const sampling = { model: '{model}', temperature: null, topP: null, maxTokens: null, seed: null };
const NO_TIMEOUTS = { connect: null, firstByte: null, idle: null };

describe('time and money of requests', () => {
    it.each<[string, ChatFault, Partial<ChatDescriptor>, string]>([
        [
            'silence before the first byte',
            { kind: 'silence' },
            { timeouts: { ...NO_TIMEOUTS, firstByte: 0.2 } },
            'no answer within 0.2 s',
        ],
        [
            'silence in the middle',
            { kind: 'silence', afterStart: true },
            { timeouts: { ...NO_TIMEOUTS, idle: 0.2 } },
            'the answer stalled for 0.2 s',
        ],
        [
            'a body that never ends, by the total',
            { kind: 'silence', afterStart: true },
            { timeout: 0.3 },
            'no answer within',
        ],
    ])('ends %s', async (_, fault, over, message) => {
        server.fault = () => fault;
        const executor = chat(over);
        expect(await ask(executor, { prompt: 'x' })).toMatchObject({
            kind: 'failure',
            failure: { reason: 'endpoint', message: expect.stringContaining(message) },
        });
        // Its service may have charged for the request.
        expect(executor.spent?.()).toMatchObject({ answers: 0, unanswered: 1 });
    });

    it('goes on with other models when a row names one that nobody has', async () => {
        const gone: string[] = [];
        server.fault = ({ body }) =>
            body['model'] === 'typo'
                ? {
                      kind: 'status',
                      status: 404,
                      error: { code: 'model_not_found', message: 'no such model' },
                  }
                : null;
        const executor = chat({ sampling }, { gaveUp: (message) => void gone.push(message) });
        expect(await ask(executor, { prompt: 'a', model: 'typo' })).toMatchObject({
            kind: 'failure',
            failure: { message: expect.stringContaining('no such model') },
        });
        expect(await ask(executor, { prompt: 'b', model: 'good' })).toMatchObject({ verdict: 'Accepted' });
        // Its other tasks fail at once, without a request.
        expect(await ask(executor, { prompt: 'c', model: 'typo' })).toMatchObject({ kind: 'failure' });
        expect(server.requests).toHaveLength(2);
        expect(gone).toEqual([]);
    });

    it('ends the run where the only model is one that nobody has, or the key of all is wrong', async () => {
        for (const [error, over] of [
            [{ code: 'model_not_found' }, {}],
            [{ code: 'invalid_api_key' }, { sampling }],
        ] as const) {
            const gone: string[] = [];
            server.fault = () => ({ kind: 'status', status: 401, error });
            const executor = chat(over, { gaveUp: (message) => void gone.push(message) });
            expect(await ask(executor, { prompt: 'a', model: 'm' })).toMatchObject({ kind: 'failure' });
            expect(gone).toHaveLength(1);
        }
    });

    it('asks nothing while a service says that its limit is used up', async () => {
        server.fault = (_, seen) =>
            seen === 1
                ? {
                      kind: 'status',
                      status: 200,
                      error: { code: '1302', message: 'slow' },
                      headers: {
                          'x-ratelimit-limit-requests': '10',
                          'x-ratelimit-remaining-requests': '0',
                          'x-ratelimit-reset-requests': '300ms',
                      },
                  }
                : null;
        const executor = chat();
        const started = performance.now();
        expect(await ask(executor, { prompt: 'a' })).toMatchObject({ verdict: 'Accepted' });
        expect(performance.now() - started).toBeGreaterThan(250);
        expect(server.requests).toHaveLength(2);
    });

    it('streams, and keeps when the first token came', async () => {
        server.latency = 30;
        const outcome = await ask(chat({ stream: true }), { prompt: 'hello' });
        expect(outcome).toMatchObject({
            verdict: 'Accepted',
            result: { answer: 'HELLO', finish_reason: 'stop', prompt_tokens: 5, completion_tokens: 7 },
        });
        expect(server.requests[0]?.body).toMatchObject({
            stream: true,
            stream_options: { include_usage: true },
        });
        const { result } = outcome as Extract<Outcome, { kind: 'verdict' }>;
        expect(result).toHaveProperty(
            'time_to_first_token',
            expect.toSatisfy((s: number) => s >= 0.02 && s < 5),
        );
    });

    it('counts everything that was asked as spent, apart from what is kept', async () => {
        const prices = { date: '2026-11-01', models: { m: { input: 1, output: 1 } } };
        server.fault = ({ prompt }) => (prompt === 'lost' ? { kind: 'reset', inBody: true } : null);
        const executor = chat({ prices });
        await Promise.all(['one', 'two', 'lost'].map((prompt) => ask(executor, { prompt })));
        expect(executor.spent?.()).toEqual({
            answers: 2,
            unanswered: 1,
            tokens: 20,
            cost: expect.closeTo(20e-6, 12),
            unpriced: 0,
        });
    });

    it('counts nothing as spent that was given up while it waited for its turn', async () => {
        server.fault = () => ({ kind: 'silence' });
        const executor = chat(oneAtATime());
        const stopping = new AbortController();
        const context = { ...contextOf(), signal: stopping.signal };
        const asking = ['one', 'two', 'three'].map((prompt) => executor.run(taskOf({ prompt }), context));
        await expect.poll(() => executor.endpoints()[0]?.inFlight).toBe(1);
        stopping.abort();
        expect(await Promise.all(asking)).toEqual(asking.map(() => ({ kind: 'abort' })));
        expect(executor.spent?.()).toMatchObject({ answers: 0, unanswered: 1 });
    });
});

describe('what services say of their limits', () => {
    it.each<[Record<string, string>, number | null]>([
        [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1m30s' }, 90_000],
        [{ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '12ms' }, 12],
        [{ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '6h0m5s' }, 21_605_000],
        [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '2' }, 2000],
        [{ 'x-ratelimit-remaining-requests': '1', 'x-ratelimit-reset-requests': '2' }, null],
        // Azure: no limit.
        [
            {
                'x-ratelimit-limit-requests': '-1',
                'x-ratelimit-remaining-requests': '0',
                'x-ratelimit-reset-requests': '60',
            },
            null,
        ],
        [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': 'soon' }, null],
        [{}, null],
    ])('%j is a wait of %s ms', (headers, wait) => {
        expect(rateHeaderWait(headers)).toBe(wait);
    });

    it('waits for the moment that BigModel names, and takes one without it for the end', () => {
        const now = Date.parse('2026-11-29T12:00:00Z');
        const error = (code: string, message: string) =>
            classifyChatError(
                { status: 429, body: Buffer.from(JSON.stringify({ error: { code, message } })) },
                '',
                now,
            );
        expect(error('1308', '已达到使用上限，您的限额将在 2026-11-29 22:30:00 重置。')).toMatchObject({
            class: 'rate',
            wait: 2.5 * 3_600_000,
        });
        expect(error('1304', 'called too often today')).toMatchObject({ class: 'quota', wait: null });
        expect(error('1113', 'no balance until 2026-11-30 00:00:00')).toMatchObject({ class: 'quota' });
        expect(error('1211', '模型不存在').class).toBe('unknown-model');
    });

    it('reads no half of a stream as an answer, and hears the error in the middle of one', () => {
        const stream = readFileSync(new URL('stream.txt', import.meta.url));
        const whole = readChatStream(stream, [{ offset: 0, at: 1500 }]);
        expect(whole).toMatchObject({
            content: null,
            reasoning: 'hm',
            finishReason: 'tool_calls',
            toolCalls: [{ id: 'c1', name: 'add', arguments: '{"a":1}' }],
            firstToken: 1.5,
            usage: { prompt: 3, completion: 4 },
        });
        const finish = stream.indexOf('"finish_reason":"tool_calls"');
        for (let end = 1; end < finish; end += 7)
            expect(readChatStream(stream.subarray(0, end), []), String(end)).toHaveProperty('broken');
        const error = Buffer.from('data: {"error": {"code": "1302", "message": "slow"}}\n\n');
        expect(readChatStream(error, [])).toMatchObject({
            broken: expect.any(String),
            error: expect.any(Buffer),
        });
    });
});

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createChat } from '../../../src/executor/chat/chat.js';
import type { ServerExecutor } from '../../../src/executor/servers/server-executor.js';
import { type JsonObject } from '../../../src/model/json.js';
import type { Outcome, Task } from '../../../src/model/task.js';
import { tempDir } from '../../rig/cli.js';
import { ChatServer } from '../../rig/servers/chat-server.js';
import { contextOf } from '../../rig/servers/submissions.js';

const server = new ChatServer();
const closing: ServerExecutor[] = [];

beforeEach(async () => {
    server.requests.length = 0;
    server.fault = () => null;
    await server.start();
});
afterEach(async () => {
    await Promise.all(closing.splice(0).map((one) => one.close()));
    await server.stop();
});

const SIMULATOR = `
export const tools = [{ name: 'add', description: 'Adds', parameters: { type: 'object' } }, { name: 'long' }];
export default ({ name, arguments: given, row }) => {
    if (name === 'long') return 'x'.repeat(40_000);
    return given.a === undefined ? { error: 'a is missing', error_type: 'parameter_config' } : { sum: given.a + row.b };
};
`;

function prepare(maxTurns: number): { readonly executor: ServerExecutor; readonly dir: string } {
    const dir = tempDir();
    const file = join(dir, 'tools.mjs');
    writeFileSync(file, SIMULATOR);
    const endpoint = { url: server.url, concurrency: null, rate: null, token: null, headers: {} };
    const executor = createChat({
        kind: 'chat',
        sampling: { model: 'm', temperature: null, topP: null, maxTokens: null, seed: null },
        promptTemplate: '{prompt}',
        system: null,
        scoring: null,
        search: null,
        budget: { maxCost: null, maxTokens: null },
        tools: { file, exportName: 'default', maxTurns, dir, holder: 'test' },
        prices: null,
        servers: {
            endpoints: [endpoint],
            retryEndpoints: [],
            limits: 'adaptive',
            endpointWait: 2,
            firstTimeout: null,
        },
        timeout: 5,
    });
    closing.push(executor);
    return { executor, dir };
}

const taskOf = (steps?: JsonObject, rate = 1): Task => ({
    sample: 's',
    group: 'instance',
    index: 0,
    fingerprint: 'f',
    input: {
        kind: 'data',
        data: { prompt: 'start', b: 2, tool_success_rate: rate, required_tools: ['add', 'sub'] },
    },
    limits: null,
    stage: null,
    attempt: 1,
    confirmed: [],
    confirming: null,
    settles: true,
    ...(steps === undefined ? {} : { steps }),
});

/** The model calls these tools, one per turn, then answers. */
function script(calls: readonly (readonly [name: string, given: string])[]): void {
    let turn = 0;
    server.fault = () => {
        const call = calls[turn];
        turn += 1;
        if (call === undefined)
            return { kind: 'message', message: { content: 'done' }, finishReason: 'stop' };
        const [name, given] = call;
        const toolCalls = [{ id: `c${turn}`, type: 'function', function: { name, arguments: given } }];
        return {
            kind: 'message',
            message: { content: null, tool_calls: toolCalls },
            finishReason: 'tool_calls',
        };
    };
}

const resultOf = (outcome: Outcome): JsonObject =>
    outcome.kind === 'verdict' ? (outcome.result as JsonObject) : { kind: outcome.kind };

describe('a conversation with tools', () => {
    it('gives the model what the simulator answers, and counts what went wrong', async () => {
        script([
            ['add', '{"a": 40}'],
            ['add', '{"b": 1}'],
            ['add', '{"a":'],
            ['sub', '{}'],
        ]);
        const { executor } = prepare(10);
        const result = resultOf(await executor.run(taskOf(), contextOf()));
        expect(result).toMatchObject({
            verdict: 'Accepted',
            answer: 'done',
            turns: 5,
            tool_calls: 4,
            completion_tokens: 35,
            executed_tools: ['add', 'add', 'add', 'sub'],
            required_tools: ['add', 'sub'],
            parameter_config_errors: 1,
            tool_call_format_errors: 1,
            tool_selection_errors: 1,
            tool_failures: 0,
        });
        const asked = server.requests.map(({ body }) => body['messages'] as JsonObject[]);
        expect(asked[1]?.at(-1)).toEqual({ role: 'tool', tool_call_id: 'c1', content: '{"sum":42}' });
        expect(server.requests[0]?.body['tools']).toHaveLength(2);
        expect(result['messages']).toHaveLength(10);
    });

    it('ends after --max-turns, and keeps long messages in a file', async () => {
        script([
            ['long', '{}'],
            ['long', '{}'],
            ['long', '{}'],
        ]);
        const { executor, dir } = prepare(2);
        const result = resultOf(await executor.run(taskOf(), contextOf()));
        expect(result).toMatchObject({
            verdict: 'WrongAnswer',
            accepted: false,
            turns: 2,
            max_turns_errors: 1,
        });
        const { path } = result['messages_file'] as { path: string };
        expect(existsSync(join(dir, path))).toBe(true);
        expect(JSON.parse(readFileSync(join(dir, path), 'utf8'))).toHaveLength(4);
        expect(server.requests).toHaveLength(2);
    });

    it('asks no turn again that an earlier attempt has saved', async () => {
        script([['add', '{"a": 1}']]);
        const { executor } = prepare(10);
        const steps: Record<string, JsonObject> = {};
        const context = {
            ...contextOf(),
            saveStep: (name: string, value: JsonObject) => {
                steps[name] = value;
                return Promise.resolve();
            },
        };
        const first = resultOf(await executor.run(taskOf(), context));
        expect(Object.keys(steps)).toEqual(['turn-1']);
        expect(server.requests).toHaveLength(2);
        const again = resultOf(await executor.run(taskOf(JSON.parse(JSON.stringify(steps))), context));
        expect(server.requests).toHaveLength(3);
        expect(again['messages']).toEqual(first['messages']);
        expect(again['completion_tokens']).toBe(first['completion_tokens']);
    });

    it('lets tools fail at the rate of the task, the same in every attempt', async () => {
        const { executor } = prepare(100);
        const failuresAt = async (rate: number): Promise<unknown> => {
            script(Array.from({ length: 40 }, () => ['add', '{"a": 1}'] as const));
            return resultOf(await executor.run(taskOf(undefined, rate), contextOf()))['tool_failures'];
        };
        expect(await failuresAt(1)).toBe(0);
        expect(await failuresAt(0)).toBe(40);
        const half = await failuresAt(0.5);
        expect(half).toBeGreaterThan(8);
        expect(half).toBeLessThan(32);
        expect(await failuresAt(0.5)).toBe(half);
    });
});

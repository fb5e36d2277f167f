import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createChat } from '../../../src/executor/chat/chat.js';
import type { ServerExecutor } from '../../../src/executor/servers/server-executor.js';
import type { Outcome } from '../../../src/model/task.js';
import { contextOf } from '../../rig/servers/submissions.js';
import { chatDescriptor, taskOf } from './chat-rig.js';

/*
 * The client against a server written by others: it must understand what we send, and we must read what it returns. Requests are
 * counted by the server.
 */

const mock = new LLMock({ port: 0, host: '127.0.0.1', logLevel: 'silent' });
let executor: ServerExecutor;
beforeAll(async () => {
    mock.onMessage('capital', { content: 'Paris' });
    await mock.start();
    executor = createChat(chatDescriptor([`${mock.url}/v1`]));
});
afterAll(async () => {
    await executor.close();
    await mock.stop();
});

const ask = (prompt: string): Promise<Outcome> => executor.run(taskOf({ prompt }), contextOf());

/** Chat completions that the server has answered or broken off since the last call. */
function countRequests(): number {
    const count = mock.getRequests().filter(({ path }) => path.includes('completions')).length;
    mock.clearRequests();
    return count;
}

it('gets answers and usage from a server of somebody else', async () => {
    expect(await ask('What is the capital of France?')).toMatchObject({
        kind: 'verdict',
        verdict: 'Accepted',
        result: {
            answer: 'Paris',
            finish_reason: 'stop',
            prompt_tokens: expect.any(Number),
            completion_tokens: expect.any(Number),
        },
    });
    expect(countRequests()).toBe(1);
});

it('asks again after its 429, and once for what it breaks off', async () => {
    mock.nextRequestError(429, {
        message: 'slow down',
        type: 'rate_limit_error',
        code: 'rate_limit_exceeded',
    });
    expect(await ask('capital?')).toMatchObject({ kind: 'verdict', result: { answer: 'Paris' } });
    expect(countRequests()).toBe(2);
    mock.nextRequestError(429, {
        message: 'no credit',
        type: 'insufficient_quota',
        code: 'insufficient_quota',
    });
    expect(await ask('capital?')).toMatchObject({ kind: 'failure', failure: { reason: 'endpoint' } });
    expect(countRequests()).toBe(1);
    // That endpoint is marked as failed; a new executor starts without this state.
    await executor.close();
    executor = createChat(chatDescriptor([`${mock.url}/v1`]));
    for (const chaos of [{ disconnectRate: 1 }, { malformedRate: 1 }, { dropRate: 1 }]) {
        mock.setChaos(chaos);
        const failed = await ask('capital?');
        expect(failed, JSON.stringify(chaos)).toMatchObject({
            kind: 'failure',
            failure: { reason: 'endpoint' },
        });
        expect(countRequests(), JSON.stringify(chaos)).toBe(1);
        mock.clearChaos();
        expect(await ask('capital?')).toMatchObject({ kind: 'verdict' });
        mock.clearRequests();
    }
});

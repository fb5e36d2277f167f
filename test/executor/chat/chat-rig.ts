import type { ChatDescriptor } from '../../../src/executor/chat/chat-kind.js';
import type { Task } from '../../../src/model/task.js';

/** Endpoints without keys. */
export function serversOf(urls: readonly string[]): Pick<ChatDescriptor, 'servers'> {
    const endpoints = urls.map((url) => ({ url, concurrency: null, rate: null, token: null, headers: {} }));
    const servers = {
        endpoints,
        retryEndpoints: [],
        limits: 'adaptive',
        endpointWait: 2,
        firstTimeout: null,
    } as const;
    return { servers };
}

/** A chat executor that sends `{prompt}` to model m, without scoring answers. Timeout: 5 s. */
export const chatDescriptor = (
    urls: readonly string[],
    over: Partial<ChatDescriptor> = {},
): ChatDescriptor => ({
    kind: 'chat',
    sampling: { model: 'm', temperature: 0.3, topP: null, maxTokens: 50, seed: null },
    promptTemplate: '{prompt}',
    system: null,
    scoring: null,
    search: null,
    tools: null,
    prices: null,
    budget: { maxCost: null, maxTokens: null },
    ...serversOf(urls),
    timeout: 5,
    ...over,
});

/** A task with this row. */
export const taskOf = (data: Record<string, string>): Task => ({
    sample: 's',
    group: 'main',
    index: 0,
    fingerprint: 'f',
    input: { kind: 'data', data },
    limits: null,
    stage: null,
    attempt: 1,
    confirmed: [],
    confirming: null,
    settles: true,
});

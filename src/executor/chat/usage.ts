import type { JsonObject } from '../../model/json.js';
import type { PricedChatAnswer } from './chat-protocol.js';

/**
 * The usage of one task's requests, under the keys that have columns in the results database. Values are sums over all answers; a
 * value that any answer does not report is null, because unknown is not 0.
 * @param model the name used in the requests
 * @param answers in order; the last one names the deployment
 */
export function buildUsageFields(model: string, answers: readonly PricedChatAnswer[]): JsonObject {
    const last = answers.at(-1);
    const sum = (pick: (answer: PricedChatAnswer) => number | null): number | null =>
        answers.length === 0 ? null : answers.map(pick).reduce(addKnown, 0);
    return {
        model,
        deployment: last?.model ?? null,
        prompt_tokens: sum(({ usage }) => usage.prompt),
        cached_tokens: sum(({ usage }) => usage.cached),
        completion_tokens: sum(({ usage }) => usage.completion),
        reasoning_tokens: sum(({ usage }) => usage.reasoning),
        cost: sum(({ cost }) => cost),
        priced_by: last?.pricedBy ?? null,
        turns: answers.length,
        tool_calls: answers.reduce((total, { toolCalls }) => total + toolCalls.length, 0),
    };
}

const addKnown = (total: number | null, next: number | null): number | null =>
    total === null || next === null ? null : total + next;

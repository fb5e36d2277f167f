import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import { describeParseError, parseBody } from '../../util/parse-body.js';
import type { BrokenAnswer } from './chat-exchange.js';
import type { ChatAnswer, TokenUsage, ToolCall } from './chat-protocol.js';

/*
 * Reads a chat completion by hand, since this is done for every answer and a schema takes several times as long. Fields that
 * determine the answer must be present and valid; any other invalid field is read as null.
 */

/**
 * Reads an answer of status 2xx. Some services send blank lines before the JSON to keep a connection open.
 * @returns the answer, or what is wrong with it
 */
export function readChatAnswer(body: Buffer): ChatAnswer | BrokenAnswer {
    let json: Json;
    try {
        json = parseBody(body) as Json;
    } catch (error) {
        return { broken: describeParseError(error, body) };
    }
    if (!isJsonObject(json)) return noCompletion('it is not a JSON object');
    const { choices } = json;
    const choice = Array.isArray(choices) ? (choices as readonly Json[])[0] : undefined;
    if (!isJsonObject(choice)) return noCompletion('it has no choices');
    const finishReason = textOrNull(choice['finish_reason']);
    const { message, error } = choice;
    if (isJsonObject(error) || BROKEN_OFF.has(finishReason ?? ''))
        return {
            broken: `the service broke its answer off (finish_reason ${finishReason ?? 'null'})`,
            ...(isJsonObject(error) ? { error: Buffer.from(JSON.stringify({ error })) } : {}),
        };
    if (!isJsonObject(message)) return noCompletion('its choice has no message');
    const content = readContent(message['content']);
    if (content === undefined) return noCompletion('the content of its message is not text');
    const toolCalls = readToolCalls(message['tool_calls']);
    if (toolCalls === undefined) return noCompletion('its calls of tools have no id or name');
    return {
        id: textOrNull(json['id']),
        model: textOrNull(json['model']),
        content,
        refusal: textOrNull(message['refusal']),
        // The second name is OpenRouter's.
        reasoning: textOrNull(message['reasoning_content']) ?? textOrNull(message['reasoning']),
        toolCalls,
        finishReason,
        usage: readUsage(json['usage']),
    };
}

/**
 * Finish reasons of an answer whose service failed halfway, which says nothing about the model: OpenRouter, BigModel, DeepSeek.
 * Source: https://openrouter.ai/docs/api/reference/errors-and-debugging, https://docs.bigmodel.cn, https://api-docs.deepseek.com
 */
const BROKEN_OFF: ReadonlySet<string> = new Set(['error', 'network_error', 'insufficient_system_resource']);

const noCompletion = (why: string): BrokenAnswer => ({
    broken: `the answer is not a chat completion: ${why}`,
});

const textOrNull = (value: Json | undefined): string | null => (typeof value === 'string' ? value : null);

/** Text, or the list of parts that some services send instead; undefined: neither. */
function readContent(value: Json | undefined): string | null | undefined {
    if (typeof value === 'string') return value;
    if (value === undefined || value === null) return null;
    if (!Array.isArray(value)) return undefined;
    const parts = (value as readonly Json[]).map((part) =>
        isJsonObject(part) && typeof part['text'] === 'string' ? part['text'] : null,
    );
    return parts.includes(null) ? undefined : parts.join('');
}

/** Undefined: an element is not a valid call. */
function readToolCalls(value: Json | undefined): readonly ToolCall[] | undefined {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) return undefined;
    const calls: ToolCall[] = [];
    for (const call of value as readonly Json[]) {
        if (!isJsonObject(call)) return undefined;
        const { id, function: called } = call;
        if (typeof id !== 'string' || !isJsonObject(called)) return undefined;
        const { name, arguments: text } = called;
        if (typeof name !== 'string') return undefined;
        calls.push({ id, name, arguments: textOrNull(text) ?? '' });
    }
    return calls;
}

function readUsage(value: Json | undefined): TokenUsage {
    const usage = isJsonObject(value) ? value : NOTHING;
    return {
        prompt: countOrNull(usage['prompt_tokens']),
        cached: countOrNull(objectIn(usage, 'prompt_tokens_details')['cached_tokens']),
        completion: countOrNull(usage['completion_tokens']),
        reasoning: countOrNull(objectIn(usage, 'completion_tokens_details')['reasoning_tokens']),
    };
}

const NOTHING: JsonObject = {};

const objectIn = (object: JsonObject, key: string): JsonObject => {
    const value = object[key];
    return isJsonObject(value) ? value : NOTHING;
};

const countOrNull = (value: Json | undefined): number | null =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;

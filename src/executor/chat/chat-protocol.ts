import type { Json, JsonObject } from '../../model/json.js';
import { unreachable } from '../../util/unreachable.js';
import { chooseMaxTokensField } from './providers.js';

/*
 * The chat completions call of OpenAI-compatible services, as data: what is sent, and how answers are read. Fields that
 * a service leaves out are read as null, so that unknown is never 0.
 * Source: https://platform.openai.com/docs/api-reference/chat
 */

export type ChatMessage =
    | { readonly role: 'system' | 'user'; readonly content: string }
    /** What the model said in an earlier turn, its calls of tools included. */
    | {
          readonly role: 'assistant';
          readonly content: string | null;
          readonly toolCalls?: readonly ToolCall[];
      }
    /** What a tool answered to the call with this id. */
    | { readonly role: 'tool'; readonly toolCallId: string; readonly content: string };

/** A tool that a model may call. */
export interface ToolDefinition {
    readonly name: string;
    readonly description?: string;
    /** JSON Schema of its arguments. */
    readonly parameters: JsonObject;
}

/** A call of a tool, as the model wrote it. */
export interface ToolCall {
    readonly id: string;
    readonly name: string;
    /** JSON as text; models write invalid JSON too. */
    readonly arguments: string;
}

/** What decides an answer besides the messages; null: the service's default, not sent. */
export interface SamplingOptions {
    readonly model: string;
    readonly temperature: number | null;
    readonly topP: number | null;
    readonly maxTokens: number | null;
    readonly seed: number | null;
}

export interface ChatAnswer {
    /** Id of the completion, for the service's support. */
    readonly id: string | null;
    /** The model as the service names it, often with a date. */
    readonly model: string | null;
    /** Null where the model said nothing (a refusal, a call of a tool). */
    readonly content: string | null;
    /** The model's own words for declining. */
    readonly refusal: string | null;
    /** What a reasoning model thought, where the service shows it. */
    readonly reasoning: string | null;
    /** Tools that the model wants to be called before it goes on; empty: none. */
    readonly toolCalls: readonly ToolCall[];
    /** `stop`, `length`, `tool_calls`, `content_filter`, ...: as the service says it. */
    readonly finishReason: string | null;
    readonly usage: TokenUsage;
    /** Seconds until the first token came; absent where the answer was not streamed, null where that cannot be told. */
    readonly firstToken?: number | null;
}

/** An answer with its price. */
export interface PricedChatAnswer extends ChatAnswer {
    /** US dollars; null: unknown. */
    readonly cost: number | null;
    /** Whose prices these are; null with an unknown cost. */
    readonly pricedBy: string | null;
}

/** Tokens; null: not told. Cached ones are among the prompt's, reasoning ones among the completion's. */
export interface TokenUsage {
    readonly prompt: number | null;
    readonly cached: number | null;
    readonly completion: number | null;
    readonly reasoning: number | null;
}

/** Everything that decides an answer: messages, sampling, tools. */
export interface ChatCall {
    readonly sampling: SamplingOptions;
    readonly messages: readonly ChatMessage[];
    /** Absent or empty: none are offered. */
    readonly tools?: readonly ToolDefinition[];
}

/** What a request depends on besides the call: how the endpoint names models, and whose service it is. */
export interface ChatDialect {
    readonly deployments?: Readonly<Record<string, string>> | undefined;
    readonly provider?: string | undefined;
    /** True: the answer comes as a stream. */
    readonly stream?: boolean;
}

export function buildChatBody(
    call: ChatCall,
    { deployments = {}, provider, stream = false }: ChatDialect = {},
): JsonObject {
    const { sampling, messages, tools = [] } = call;
    const { model, temperature, topP, maxTokens, seed } = sampling;
    return {
        model: (Object.hasOwn(deployments, model) ? deployments[model] : null) ?? model,
        messages: messages.map(buildMessageBody),
        ...(temperature === null ? {} : { temperature }),
        ...(topP === null ? {} : { top_p: topP }),
        ...(maxTokens === null ? {} : { [chooseMaxTokensField(provider)]: maxTokens }),
        ...(seed === null ? {} : { seed }),
        ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
        ...(tools.length === 0
            ? {}
            : { tools: tools.map((tool): Json => ({ type: 'function', function: { ...tool } })) }),
    };
}

/** Characters of a token, at the least: few languages need more tokens than this for a text. */
const CHARACTERS_PER_TOKEN = 3;

/** Tokens that a call may use, for limits by the minute: an estimate of its prompt, and the longest answer. */
export function estimateTokens({ sampling, messages, tools = [] }: ChatCall): number {
    const characters = JSON.stringify([messages, tools]).length;
    return Math.ceil(characters / CHARACTERS_PER_TOKEN) + (sampling.maxTokens ?? 0);
}

/** A message as services take it. */
export function buildMessageBody(message: ChatMessage): JsonObject {
    switch (message.role) {
        case 'system':
        case 'user':
            return { role: message.role, content: message.content };
        case 'assistant': {
            const { role, content, toolCalls = [] } = message;
            return {
                role,
                content,
                ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls.map(callBody) }),
            };
        }
        case 'tool':
            return { role: 'tool', tool_call_id: message.toolCallId, content: message.content };
        default:
            return unreachable(message, 'role');
    }
}

const callBody = ({ id, name, arguments: text }: ToolCall): Json => ({
    id,
    type: 'function',
    function: { name, arguments: text },
});

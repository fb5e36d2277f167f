import type { Json, JsonObject } from '../../model/json.js';
import { unreachable } from '../../util/unreachable.js';
import { chooseMaxTokensField } from './providers.js';

/*
 * The chat completions API of OpenAI-compatible services, as data: what is sent, and how answers are read. Fields that a service
 * leaves out are read as null, so that an unknown value is never 0. Source: https://platform.openai.com/docs/api-reference/chat
 */

export type ChatMessage =
    | { readonly role: 'system' | 'user'; readonly content: string }
    /** What the model said in an earlier turn, including its tool calls. */
    | {
          readonly role: 'assistant';
          readonly content: string | null;
          readonly toolCalls?: readonly ToolCall[];
      }
    /** The result of the tool call with this id. */
    | { readonly role: 'tool'; readonly toolCallId: string; readonly content: string };

/** A tool that a model may call. */
export interface ToolDefinition {
    readonly name: string;
    readonly description?: string;
    /** JSON Schema of its arguments. */
    readonly parameters: JsonObject;
}

/** A tool call as the model wrote it. */
export interface ToolCall {
    readonly id: string;
    readonly name: string;
    /** JSON as text, which may be invalid, as models write it. */
    readonly arguments: string;
}

/** What affects an answer besides the messages; null: not sent, so the service's default applies. */
export interface SamplingOptions {
    readonly model: string;
    readonly temperature: number | null;
    readonly topP: number | null;
    readonly maxTokens: number | null;
    readonly seed: number | null;
}

export interface ChatAnswer {
    /** Id of the completion, for requests to the service's support. */
    readonly id: string | null;
    /** The model's name as the service reports it, often with a date. */
    readonly model: string | null;
    /** Null if the model said nothing (a refusal, a tool call). */
    readonly content: string | null;
    /** The model's own explanation for declining. */
    readonly refusal: string | null;
    /** The reasoning of a reasoning model, if the service shows it. */
    readonly reasoning: string | null;
    /** Tools that the model wants to call before it continues; empty: none. */
    readonly toolCalls: readonly ToolCall[];
    /** `stop`, `length`, `tool_calls`, `content_filter`, ...: as the service reports it. */
    readonly finishReason: string | null;
    readonly usage: TokenUsage;
    /** Seconds until the first token; absent if the answer was not streamed, null if unknown. */
    readonly firstToken?: number | null;
}

/** An answer with its price. */
export interface PricedChatAnswer extends ChatAnswer {
    /** US dollars; null: unknown. */
    readonly cost: number | null;
    /** Source of the prices; null if the cost is unknown. */
    readonly pricedBy: string | null;
}

/** Tokens; null: not reported. The prompt's tokens include cached ones, the completion's include reasoning tokens. */
export interface TokenUsage {
    readonly prompt: number | null;
    readonly cached: number | null;
    readonly completion: number | null;
    readonly reasoning: number | null;
}

/** Everything that affects an answer: messages, sampling, tools. */
export interface ChatCall {
    readonly sampling: SamplingOptions;
    readonly messages: readonly ChatMessage[];
    /** Absent or empty: no tools are offered. */
    readonly tools?: readonly ToolDefinition[];
}

/** What a request depends on besides the call: the endpoint's names for models, and its provider. */
export interface ChatDialect {
    readonly deployments?: Readonly<Record<string, string>> | undefined;
    readonly provider?: string | undefined;
    /** True: the answer is streamed. */
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

/** Fewest characters per token: few languages need more tokens than this for a text. */
const CHARACTERS_PER_TOKEN = 3;

/** Estimated tokens that a call may use, for per-minute limits: its prompt and the longest possible answer. */
export function estimateTokens({ sampling, messages, tools = [] }: ChatCall): number {
    const characters = JSON.stringify([messages, tools]).length;
    return Math.ceil(characters / CHARACTERS_PER_TOKEN) + (sampling.maxTokens ?? 0);
}

/** A message in the format of the services. */
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

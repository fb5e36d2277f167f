import { z } from 'zod';
import type { JsonObject } from '../../model/json.js';

/*
 * The chat completions call of OpenAI-compatible services, as data: what is sent, and how answers are read. Fields that
 * a service leaves out are read as null, so that unknown is never 0.
 * Source: https://platform.openai.com/docs/api-reference/chat
 */

export interface ChatMessage {
    readonly role: 'system' | 'user';
    readonly content: string;
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
    /** `stop`, `length`, `content_filter`, ...: as the service says it. */
    readonly finishReason: string | null;
    readonly usage: TokenUsage;
}

/** Tokens; null: not told. Cached ones are among the prompt's, reasoning ones among the completion's. */
export interface TokenUsage {
    readonly prompt: number | null;
    readonly cached: number | null;
    readonly completion: number | null;
    readonly reasoning: number | null;
}

export function chatBody(options: SamplingOptions, messages: readonly ChatMessage[]): JsonObject {
    const { model, temperature, topP, maxTokens, seed } = options;
    return {
        model,
        messages: messages.map(({ role, content }) => ({ role, content })),
        ...(temperature === null ? {} : { temperature }),
        ...(topP === null ? {} : { top_p: topP }),
        ...(maxTokens === null ? {} : { max_tokens: maxTokens }),
        ...(seed === null ? {} : { seed }),
    };
}

const count = z.number().int().nonnegative().nullish();

const completion = z.object({
    id: z.string().nullish(),
    model: z.string().nullish(),
    choices: z
        .array(
            z.object({
                finish_reason: z.string().nullish(),
                message: z.object({
                    content: z.string().nullish(),
                    refusal: z.string().nullish(),
                    reasoning_content: z.string().nullish(),
                }),
            }),
        )
        .min(1),
    usage: z
        .object({
            prompt_tokens: count,
            completion_tokens: count,
            prompt_tokens_details: z.object({ cached_tokens: count }).nullish(),
            completion_tokens_details: z.object({ reasoning_tokens: count }).nullish(),
        })
        .nullish(),
});

/**
 * Reads an answer of status 2xx. Blank lines before the JSON are what some services send to keep a connection open.
 * @returns the answer, or what is wrong with it
 */
export function readChatAnswer(body: Buffer): ChatAnswer | { readonly broken: string } {
    let json: unknown;
    try {
        json = JSON.parse(body.toString('utf8'));
    } catch {
        return { broken: `the answer is not JSON (${body.length} bytes)` };
    }
    const parsed = completion.safeParse(json);
    if (!parsed.success) {
        const [issue] = parsed.error.issues;
        return { broken: `the answer is not a chat completion: ${issue?.path.join('.')}: ${issue?.message}` };
    }
    const { id, model, choices, usage } = parsed.data;
    const [choice] = choices;
    return {
        id: id ?? null,
        model: model ?? null,
        content: choice?.message.content ?? null,
        refusal: choice?.message.refusal ?? null,
        reasoning: choice?.message.reasoning_content ?? null,
        finishReason: choice?.finish_reason ?? null,
        usage: {
            prompt: usage?.prompt_tokens ?? null,
            cached: usage?.prompt_tokens_details?.cached_tokens ?? null,
            completion: usage?.completion_tokens ?? null,
            reasoning: usage?.completion_tokens_details?.reasoning_tokens ?? null,
        },
    };
}

import type { JsonObject } from '../../model/json.js';
import type { SpanAttributes, SpanEvent, TaskSpan } from '../../model/span.js';
import type { Task } from '../../model/task.js';
import type { ExecutorContext } from '../executor.js';
import type { ChatClient } from './chat-client.js';
import type { ChatResult } from './chat-exchange.js';
import { type ChatCall, buildMessageBody, type PricedChatAnswer, type ToolCall } from './chat-protocol.js';
import { findProviderByHost } from './providers.js';
import type { ToolAnswer, ToolSimulator } from './tool-simulator.js';
import type { Search, SearchRequest } from './web-search.js';

/*
 * The spans of a `chat` task, with attributes from OpenTelemetry's conventions for generative models. Source:
 * https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
 */

/** `client.complete`, with a span `chat {model}` if the run is traced. Retries are its events. */
export async function completeTraced(
    client: ChatClient,
    call: ChatCall,
    context: ExecutorContext,
): Promise<ChatResult<PricedChatAnswer>> {
    const { model } = call.sampling;
    return traced(
        { context, kind: 'request', name: `chat ${model}` },
        (inner) => client.complete(call, inner),
        (result) => ({
            'gen_ai.operation.name': 'chat',
            ...requestAttributes(call),
            ...answerAttributes(result),
            ...serverAttributes(result),
            ...(keepsContent() ? contentAttributes(call, result) : {}),
        }),
    );
}

/** `client.search`, with a span for this tool of the service. */
export async function searchTraced(
    client: ChatClient,
    request: SearchRequest,
    context: ExecutorContext,
): Promise<ChatResult<Search>> {
    const tool = 'web_search';
    return traced(
        { context, kind: 'tool', name: `execute_tool ${tool}` },
        (inner) => client.search(request, inner),
        (result) => ({ ...toolAttributes(tool), ...serverAttributes(result) }),
    );
}

/** `simulator.answer`, with a span for the call. */
export async function answerTraced(
    simulator: ToolSimulator,
    call: ToolCall,
    at: { readonly task: Task; readonly turn: number; readonly number: number },
    { span }: Pick<ExecutorContext, 'span'>,
): Promise<ToolAnswer> {
    const startedAt = Date.now();
    const said = await simulator.answer(call, at.task, at.turn, at.number);
    const type = said.error ?? (said.hasFailed ? 'unavailable' : null);
    span?.({
        kind: 'tool',
        name: `execute_tool ${call.name}`,
        startedAt,
        endedAt: Date.now(),
        attributes: {
            ...toolAttributes(call.name),
            'gen_ai.tool.call.id': call.id,
            ...(type === null ? {} : { 'error.type': type }),
        },
        events: [],
        error: type === null ? null : { type, message: `the tool answered with an error (${type})` },
    });
    return said;
}

interface SpanStart {
    readonly context: ExecutorContext;
    readonly kind: TaskSpan['kind'];
    readonly name: string;
}

async function traced<T>(
    { context, kind, name }: SpanStart,
    run: (context: ExecutorContext) => Promise<ChatResult<T>>,
    describe: (result: ChatResult<T>) => SpanAttributes,
): Promise<ChatResult<T>> {
    const { span, signal, saveStep, ask, log } = context;
    if (span === undefined) return run(context);
    const events: SpanEvent[] = [];
    const startedAt = Date.now();
    const result = await run({
        signal,
        ask,
        ...(saveStep === undefined ? {} : { saveStep }),
        // The client logs during a request only when the request was rejected and is retried.
        log: (message) => {
            events.push({ name: 'retry', at: Date.now(), attributes: { message } });
            log(message);
        },
    });
    const error = describeError(result);
    const attributes = { ...describe(result), ...(error === null ? {} : { 'error.type': error.type }) };
    span({ kind, name, startedAt, endedAt: Date.now(), attributes, events, error });
    return result;
}

function describeError(result: ChatResult<unknown>): TaskSpan['error'] {
    if (result.kind === 'aborted') return { type: 'aborted', message: 'the run stopped' };
    if (result.kind !== 'failed') return null;
    const { failure } = result;
    const status = 'status' in failure ? failure.status : undefined;
    return { type: String(status ?? failure.reason), message: failure.message };
}

function requestAttributes({ sampling }: ChatCall): SpanAttributes {
    const { model, temperature, topP, maxTokens, seed } = sampling;
    return {
        'gen_ai.request.model': model,
        ...(temperature === null ? {} : { 'gen_ai.request.temperature': temperature }),
        ...(topP === null ? {} : { 'gen_ai.request.top_p': topP }),
        ...(maxTokens === null ? {} : { 'gen_ai.request.max_tokens': maxTokens }),
        ...(seed === null ? {} : { 'gen_ai.request.seed': seed }),
    };
}

const answerIn = (result: ChatResult<PricedChatAnswer>): PricedChatAnswer | null =>
    result.kind === 'answered' || result.kind === 'refused' ? result.answer : null;

function answerAttributes(result: ChatResult<PricedChatAnswer>): SpanAttributes {
    const answer = answerIn(result);
    if (answer === null) return {};
    const { id, model, finishReason, usage } = answer;
    return {
        ...(id === null ? {} : { 'gen_ai.response.id': id }),
        ...(model === null ? {} : { 'gen_ai.response.model': model }),
        ...(finishReason === null ? {} : { 'gen_ai.response.finish_reasons': [finishReason] }),
        ...(usage.prompt === null ? {} : { 'gen_ai.usage.input_tokens': usage.prompt }),
        ...(usage.completion === null ? {} : { 'gen_ai.usage.output_tokens': usage.completion }),
    };
}

/** The host alone: the rest of an address may be confidential. */
function serverAttributes(result: ChatResult<unknown>): SpanAttributes {
    const endpoint = result.kind === 'aborted' ? null : result.endpoint;
    if (endpoint === null || !URL.canParse(endpoint)) return {};
    const { hostname, port } = new URL(endpoint);
    const provider = findProviderByHost(hostname) ?? 'openai';
    return {
        'gen_ai.provider.name': provider,
        // The former name, which LangSmith reads.
        'gen_ai.system': provider,
        'server.address': hostname,
        ...(port === '' ? {} : { 'server.port': Number(port) }),
    };
}

const toolAttributes = (name: string): SpanAttributes => ({
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': name,
});

/** The variable that tells OpenTelemetry's own instrumentations to record prompts and answers. */
const keepsContent = (): boolean =>
    process.env['OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT']?.toLowerCase() === 'true';

function contentAttributes(call: ChatCall, result: ChatResult<PricedChatAnswer>): SpanAttributes {
    const messages: readonly JsonObject[] = call.messages.map(buildMessageBody);
    const content = answerIn(result)?.content ?? null;
    return {
        'gen_ai.input.messages': JSON.stringify(messages),
        ...(content === null
            ? {}
            : { 'gen_ai.output.messages': JSON.stringify([{ role: 'assistant', content }]) }),
    };
}

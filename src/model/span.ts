/*
 * What a task's executor did, for a trace. Plain data: a worker sends it to the main process, and only that knows where traces
 * go.
 */

export type SpanAttributes = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** Something that happened at one moment of a span. */
export interface SpanEvent {
    readonly name: string;
    /** Milliseconds since the epoch, as all times here. */
    readonly at: number;
    readonly attributes: SpanAttributes;
}

/** A finished part of an attempt. It contains no secrets, and no prompts or answers unless requested. */
export interface TaskSpan {
    /** `request`: to a service; `tool`: the call of a tool. */
    readonly kind: 'request' | 'tool';
    /** `chat gpt-4o`, `execute_tool web_search`. */
    readonly name: string;
    /** The span that it belongs to, in the format of the W3C header `traceparent`: that of its task. */
    readonly parent: string;
    readonly startedAt: number;
    readonly endedAt: number;
    readonly attributes: SpanAttributes;
    readonly events: readonly SpanEvent[];
    /** Null: it succeeded. */
    readonly error: { readonly type: string; readonly message: string } | null;
}

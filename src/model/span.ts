/*
 * What a task's executor did, for a trace. Plain data: a worker sends it to the main process, which alone knows where traces go.
 */

export type SpanAttributes = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** Something that happened at one moment of a span. */
export interface SpanEvent {
    readonly name: string;
    /** Milliseconds since the epoch, as all times here. */
    readonly at: number;
    readonly attributes: SpanAttributes;
}

/** A part of an attempt that has ended. It holds no secrets, and no prompts or answers unless they were asked for. */
export interface TaskSpan {
    /** `request`: to a service; `tool`: the call of a tool. */
    readonly kind: 'request' | 'tool';
    /** `chat gpt-4o`, `execute_tool web_search`. */
    readonly name: string;
    /** The span that it is part of, as the W3C header `traceparent` writes it: that of its task. */
    readonly parent: string;
    readonly startedAt: number;
    readonly endedAt: number;
    readonly attributes: SpanAttributes;
    readonly events: readonly SpanEvent[];
    /** Null: it ended well. */
    readonly error: { readonly type: string; readonly message: string } | null;
}

import type { Context, Span, SpanContext, Tracer } from '@opentelemetry/api';
import type { BasicTracerProvider, ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { readPackageVersion } from '../host/package-version.js';
import type { SpanAttributes, TaskSpan } from '../model/span.js';
import type { Outcome, Task, UnwritableOutcome } from '../model/task.js';
import { getMessage } from '../util/message.js';
import { maskSecrets } from '../util/secrets.js';
import type { Destination } from './destinations.js';

/** Most spans that may wait; further ones are dropped, since a trace is worth less than a result. */
const MAX_WAITING = 4096;
/** Milliseconds for one request to a collector. */
const EXPORT_TIMEOUT = 4000;
/** Milliseconds that a run waits at its end for spans to be sent. */
const FLUSH_TIMEOUT = 5000;
/** Milliseconds after which a round without running tasks is ended. Collectors show a trace only once its root has arrived. */
const ROUND_IDLE = 60_000;

/** The packages needed for tracing, which users install themselves if they want it. */
const MISSING =
    'traces are not sent: npm install @opentelemetry/api@1.9.1 @opentelemetry/sdk-trace-base@2.12.0 ' +
    '@opentelemetry/resources@2.12.0 @opentelemetry/exporter-trace-otlp-proto@0.223.0';

/** The group in which tasks with the same index form a round and are traced together. */
const ROUNDS = 'iteration';

/** A task that is being traced. */
export interface TracedTask {
    /** The span in the format of the W3C `traceparent` header. */
    readonly traceparent: string;
    end(outcome: Outcome | UnwritableOutcome, workerId: string): void;
}

interface Round {
    readonly span: Span;
    readonly context: Context;
    open: number;
    lastEnd: number;
    hasEnded: boolean;
}

type Api = typeof import('@opentelemetry/api');

/**
 * The trace of one run: round > topic > requests and tools, or cell > requests and tools. Errors here never affect a task: spans
 * that cannot be sent are dropped, with one notice.
 */
export class RunTracer {
    readonly #api: Api;
    readonly #provider: BasicTracerProvider;
    readonly #tracer: Tracer;
    readonly #onNotice: (message: string) => void;
    readonly #rounds = new Map<number, Round>();

    private constructor(api: Api, provider: BasicTracerProvider, onNotice: (message: string) => void) {
        this.#api = api;
        this.#onNotice = onNotice;
        this.#provider = provider;
        this.#tracer = provider.getTracer('resume-run', readPackageVersion());
    }

    /** @returns null, with a notice, if the OpenTelemetry packages are not installed */
    static async open(
        destinations: readonly Destination[],
        onNotice: (message: string) => void,
    ): Promise<RunTracer | null> {
        try {
            const [api, sdk, { resourceFromAttributes }, { OTLPTraceExporter }] = await Promise.all([
                import('@opentelemetry/api'),
                import('@opentelemetry/sdk-trace-base'),
                import('@opentelemetry/resources'),
                import('@opentelemetry/exporter-trace-otlp-proto'),
            ]);
            const provider = new sdk.BasicTracerProvider({
                resource: resourceFromAttributes({
                    'service.name': process.env['OTEL_SERVICE_NAME'] || 'resume-run',
                    'service.version': readPackageVersion(),
                }),
                spanProcessors: destinations.map((destination) => {
                    const { url, headers } = destination;
                    const exporter = new OTLPTraceExporter({
                        ...(url === null ? {} : { url }),
                        headers: { ...headers },
                        timeoutMillis: EXPORT_TIMEOUT,
                    });
                    return new sdk.BatchSpanProcessor(watch(exporter, destination, onNotice), {
                        maxQueueSize: MAX_WAITING,
                        scheduledDelayMillis: 1000,
                        // Later than the exporter's own timeout, whose error says what went wrong.
                        exportTimeoutMillis: 2 * EXPORT_TIMEOUT,
                    });
                }),
            });
            return new RunTracer(api, provider, onNotice);
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
            onNotice(MISSING);
            return null;
        }
    }

    /** Starts the span of an attempt. */
    start(task: Task): TracedTask {
        const { sample, group, index, attempt } = task;
        const isTopic = group === ROUNDS;
        const round = isTopic ? this.#findRound(index) : null;
        if (round !== null) round.open += 1;
        const span = this.#tracer.startSpan(
            isTopic ? 'topic_analysis' : group === 'instance' ? 'cell' : 'task',
            {
                attributes: {
                    'langsmith.span.kind': 'chain',
                    'resume_run.sample': sample,
                    'resume_run.group': group,
                    'resume_run.index': index,
                    'resume_run.attempt': attempt,
                },
            },
            round?.context ?? this.#api.ROOT_CONTEXT,
        );
        return {
            traceparent: printParent(span.spanContext()),
            end: (outcome, workerId) => {
                span.setAttributes({ 'resume_run.worker': workerId, ...makeOutcomeAttributes(outcome) });
                const { SpanStatusCode } = this.#api;
                if (outcome.kind === 'failure')
                    span.setStatus({
                        code: SpanStatusCode.ERROR,
                        message: maskSecrets(outcome.failure.message),
                    });
                span.end();
                if (round !== null) {
                    round.open -= 1;
                    round.lastEnd = Date.now();
                }
                this.#endIdleRounds();
            },
        };
    }

    /** Adds a part of an attempt, which has already ended. */
    add({ kind, name, parent, startedAt, endedAt, attributes, events, error }: TaskSpan): void {
        const { SpanKind, SpanStatusCode, trace, ROOT_CONTEXT } = this.#api;
        const context = parseParent(parent);
        if (context === null) return;
        const span = this.#tracer.startSpan(
            name,
            {
                kind: kind === 'request' ? SpanKind.CLIENT : SpanKind.INTERNAL,
                startTime: startedAt,
                attributes: {
                    'langsmith.span.kind': kind === 'request' ? 'llm' : 'tool',
                    ...withoutSecrets(attributes),
                },
            },
            trace.setSpanContext(ROOT_CONTEXT, context),
        );
        for (const event of events) span.addEvent(event.name, withoutSecrets(event.attributes), event.at);
        if (error !== null)
            span.setStatus({ code: SpanStatusCode.ERROR, message: maskSecrets(error.message) });
        span.end(endedAt);
    }

    /** Ends open spans and sends those waiting, within a bounded time. Never throws. */
    async close(): Promise<void> {
        for (const round of this.#rounds.values()) endRound(round);
        let timer: NodeJS.Timeout | undefined;
        const patience = new Promise<'late'>((resolve) => {
            timer = setTimeout(() => resolve('late'), FLUSH_TIMEOUT);
        });
        const ended = await Promise.race([this.#provider.shutdown().catch(() => undefined), patience]);
        clearTimeout(timer);
        if (ended === 'late')
            this.#onNotice(
                `some traces were not sent within ${FLUSH_TIMEOUT / 1000} s; results are not affected`,
            );
    }

    #findRound(index: number): Round {
        const known = this.#rounds.get(index);
        if (known !== undefined) return known;
        const { trace, ROOT_CONTEXT } = this.#api;
        const span = this.#tracer.startSpan(
            `iteration_${index + 1}`,
            { attributes: { 'langsmith.span.kind': 'chain', 'resume_run.iteration': index + 1 } },
            ROOT_CONTEXT,
        );
        const context = trace.setSpan(ROOT_CONTEXT, span);
        const round: Round = { span, context, open: 0, lastEnd: Date.now(), hasEnded: false };
        this.#rounds.set(index, round);
        return round;
    }

    #endIdleRounds(): void {
        for (const round of this.#rounds.values())
            if (round.open === 0 && Date.now() - round.lastEnd > ROUND_IDLE) endRound(round);
    }
}

function endRound(round: Round): void {
    if (round.hasEnded) return;
    round.hasEnded = true;
    round.span.end(round.lastEnd);
}

function makeOutcomeAttributes(outcome: Outcome | UnwritableOutcome): SpanAttributes {
    switch (outcome.kind) {
        case 'verdict':
            return { 'resume_run.verdict': outcome.verdict };
        case 'failure':
            return { 'error.type': outcome.failure.reason };
        case 'abort':
            return { 'error.type': 'aborted' };
        case 'unwritable':
            return { 'error.type': 'unwritable' };
    }
}

/** Replaces values that the environment supplied for addresses and commands by the names of their variables. */
function withoutSecrets(attributes: SpanAttributes): Record<string, string | number | boolean | string[]> {
    return Object.fromEntries(
        Object.entries(attributes).map(([name, value]) => [
            name,
            typeof value === 'string'
                ? maskSecrets(value)
                : typeof value === 'object'
                  ? value.map(maskSecrets)
                  : value,
        ]),
    );
}

/** Wraps an exporter to report once that spans cannot be sent. */
function watch(
    exporter: SpanExporter,
    { name, headers }: Destination,
    onNotice: (message: string) => void,
): SpanExporter {
    let hasTold = false;
    const tell = (error: unknown): void => {
        if (hasTold) return;
        hasTold = true;
        const why = Object.values(headers)
            .filter((value) => value.length >= 6)
            .reduce((text, value) => text.replaceAll(value, '***'), maskSecrets(getMessage(error)));
        onNotice(`traces cannot be sent to ${name} (${why}); results are not affected`);
    };
    return {
        export: (spans: ReadableSpan[], done) =>
            exporter.export(spans, (result) => {
                if (result.error !== undefined) tell(result.error);
                done(result);
            }),
        shutdown: () => exporter.shutdown(),
        forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    };
}

const printParent = ({ traceId, spanId }: SpanContext): string => `00-${traceId}-${spanId}-01`;

function parseParent(text: string): SpanContext | null {
    const parts = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(text);
    if (parts === null) return null;
    const [, traceId = '', spanId = ''] = parts;
    return { traceId, spanId, traceFlags: 1 };
}

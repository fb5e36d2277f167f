import { type Backend, KEEPS_NO_STEPS } from '../backend/backend.js';
import type { TaskSpan } from '../model/span.js';
import { findDestinations, type LangSmithChoice } from '../trace/destinations.js';

/** Connects a run to its trace. */
export interface Tracing {
    /** Wraps a backend so that its attempts are traced. */
    wrap(backend: Backend): Backend;
    add(span: TaskSpan): void;
    /** Sends pending traces, for a limited time. Never throws. */
    close(): Promise<void>;
}

/**
 * @param onNotice called once if traces cannot be sent
 * @returns null if tracing is not requested, or a package that it needs is not installed
 * @throws UserError for invalid settings
 */
export async function openTracing(
    langSmith: LangSmithChoice,
    onNotice: (message: string) => void,
): Promise<Tracing | null> {
    const destinations = findDestinations(langSmith, process.env);
    if (destinations.length === 0) return null;
    const { RunTracer } = await import('../trace/tracer.js');
    const tracer = await RunTracer.open(destinations, onNotice);
    if (tracer === null) return null;
    return {
        wrap: (backend) => ({
            start(task, host = KEEPS_NO_STEPS) {
                const traced = tracer.start(task);
                const running = backend.start({ ...task, traceparent: traced.traceparent }, host);
                const completion = running.completion.then((done) => {
                    traced.end(done.outcome, done.workerId);
                    return done;
                });
                return { ...running, completion };
            },
            resize: (concurrency) => backend.resize(concurrency),
            close: () => backend.close(),
        }),
        add: (span) => tracer.add(span),
        close: () => tracer.close(),
    };
}

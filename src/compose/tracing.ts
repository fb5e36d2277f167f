import { type Backend, KEEPS_NO_STEPS } from '../backend/backend.js';
import type { TaskSpan } from '../model/span.js';
import { findDestinations, type LangSmithChoice } from '../trace/destinations.js';

/** Joins a run to its trace. */
export interface Tracing {
    /** The backend whose attempts are traced. */
    wrap(backend: Backend): Backend;
    add(span: TaskSpan): void;
    /** Sends what waits, for a bounded time. Never throws. */
    close(): Promise<void>;
}

/**
 * @param onNotice told once where traces cannot be sent
 * @returns null where nothing asks for traces, or what they need is not installed
 * @throws UserError for settings that cannot be used
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

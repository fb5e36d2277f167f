import type { RunEvent } from './event.js';

type Finished = Extract<RunEvent, { readonly type: 'task-finished' }>;

/** Bytes of an event's result as JSON; 0 if it holds none. */
export function measureResult({ result }: Pick<Finished, 'result'>): number {
    return result === null ? 0 : Buffer.byteLength(JSON.stringify(result));
}

/** The event, without its result if that is longer than `bound` bytes of JSON. */
export function dropLongResult(event: RunEvent, bound: number): RunEvent {
    if (event.type !== 'task-finished' || event.result === null) return event;
    const bytes = measureResult(event);
    return bytes <= bound ? event : { ...event, result: null, resultBytes: bytes };
}

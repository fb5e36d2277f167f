import { measureResult, dropLongResult } from '../model/event-size.js';
import type { RunEvent } from '../model/event.js';

/** Maximum number of events that wait for a slow reader. */
export const EVENTS_BOUND = 100_000;

/** Maximum size in bytes of JSON of the results that wait for a slow reader; events beyond it come without their results. */
const BYTES_BOUND = 64 * 1024 * 1024;

/** Every reader has up to this many events waiting now and then; their size is not measured. */
const MEASURED_FROM = 16;

/** Decouples a run, which must not wait, from a reader, which may be slow. */
export class EventQueue implements AsyncIterable<RunEvent> {
    #events: RunEvent[] = [];
    /** Size of the waiting results, beyond the first ones. */
    #bytes = 0;
    #state: 'open' | 'ended' | { readonly error: unknown } = 'open';
    #wake: (() => void) | null = null;

    push(event: RunEvent): void {
        if (this.#events.length >= EVENTS_BOUND) this.#events = this.#events.filter(isRare);
        this.#events.push(this.#isFull(event) ? dropLongResult(event, 0) : event);
        this.#signal();
    }

    /** Measures only if the reader is behind: the first events of a batch always come whole. */
    #isFull(event: RunEvent): boolean {
        if (this.#events.length < MEASURED_FROM) this.#bytes = 0;
        else if (event.type === 'task-finished') this.#bytes += measureResult(event);
        return this.#bytes > BYTES_BOUND;
    }

    end(): void {
        this.#state = 'ended';
        this.#signal();
    }

    fail(error: unknown): void {
        this.#state = { error };
        this.#signal();
    }

    #signal(): void {
        this.#wake?.();
        this.#wake = null;
    }

    async *[Symbol.asyncIterator](): AsyncIterator<RunEvent> {
        for (;;) {
            const events = this.#events;
            this.#events = [];
            yield* events;
            if (this.#events.length > 0) continue;
            if (typeof this.#state === 'object') throw this.#state.error;
            if (this.#state === 'ended') return;
            await new Promise<void>((resolve) => {
                this.#wake = resolve;
            });
        }
    }
}

/** Whether an event is of a rare kind, which no reader should miss. */
const isRare = ({ type }: RunEvent): boolean =>
    type !== 'task-started' && type !== 'task-saving' && type !== 'task-finished';

import { measureResult, dropLongResult } from '../model/event-size.js';
import type { RunEvent } from '../model/event.js';

/** Events that wait for a slow reader, at most. */
export const EVENTS_BOUND = 100_000;

/** Results that wait for a slow reader, bytes of JSON; later ones are left out of their events. */
const BYTES_BOUND = 64 * 1024 * 1024;

/** Fewer waiting events than this are what every reader has now and then. */
const MEASURED_FROM = 16;

/** Between a run that must not wait and a reader that may be slow. */
export class EventQueue implements AsyncIterable<RunEvent> {
    #events: RunEvent[] = [];
    /** Of results that wait, beyond the first ones. */
    #bytes = 0;
    #state: 'open' | 'ended' | { readonly error: unknown } = 'open';
    #wake: (() => void) | null = null;

    push(event: RunEvent): void {
        if (this.#events.length >= EVENTS_BOUND) this.#events = this.#events.filter(isRare);
        this.#events.push(this.#isFull(event) ? dropLongResult(event, 0) : event);
        this.#signal();
    }

    /** Measured only for a reader that is behind: the first events of a batch are always whole. */
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

/** Events that there are few of, and that nobody should miss. */
const isRare = (event: RunEvent): boolean => event.type !== 'task-started' && event.type !== 'task-finished';

import { now } from '../util/now.js';
import { awaitsLimit, OpenSample } from './open-sample.js';
import type { RunParts } from './parts.js';
import { plan, prepare } from './prepare.js';
import type { WorkItem } from './work-list.js';
import type { TaskState } from './task-state.js';

/** Minimum and maximum number of samples to open ahead of the running tasks. */
const MIN_AHEAD = 2;
const MAX_AHEAD = 8;

/** What the feed needs from the loop. */
export interface FeedOwner {
    isStopping(): boolean;
    /** Called for a sample without tasks to hand out, whose file changes only because of its plan. */
    onIdle(sample: OpenSample): void;
    onError(error: unknown): void;
    /** Called when an opening has ended, successfully or not. */
    onOpened(): void;
}

/** Opens samples in order, a few ahead of the running tasks, and hands out their tasks. */
export class SampleFeed {
    readonly #parts: RunParts;
    readonly #owner: FeedOwner;
    /** Samples that still have tasks to hand out, in order. */
    readonly #withTasks: OpenSample[] = [];
    readonly #open = new Map<string, OpenSample>();
    #next = 0;
    #opening = 0;

    constructor(parts: RunParts, owner: FeedOwner) {
        this.#parts = parts;
        this.#owner = owner;
    }

    get isOpening(): boolean {
        return this.#opening > 0;
    }

    /** Whether every sample has been opened and closed again. */
    get isExhausted(): boolean {
        return this.#next >= this.#parts.work.length && this.#open.size === 0;
    }

    /** The next task of the first sample that has one. */
    take(): TaskState | null {
        for (;;) {
            const sample = this.#withTasks[0];
            if (sample === undefined) return null;
            const state = sample.take();
            if (state !== null) return state;
            this.#withTasks.shift();
        }
    }

    /** Adds a sample that has more tasks to hand out. */
    offer(sample: OpenSample): void {
        this.#withTasks.push(sample);
    }

    get(id: string): OpenSample | undefined {
        return this.#open.get(id);
    }

    openSamples(): IterableIterator<OpenSample> {
        return this.#open.values();
    }

    /** @returns false if it was already removed */
    remove(sample: OpenSample): boolean {
        return this.#open.delete(sample.id);
    }

    /** Opens samples so that no slot has to wait for one. The number of open samples is bounded by the slots. */
    openAhead(slots: { readonly concurrency: number; readonly window: number }): void {
        const { work } = this.#parts;
        const ahead = Math.max(MIN_AHEAD, Math.min(MAX_AHEAD, slots.concurrency));
        while (
            this.#next < work.length &&
            this.#withTasks.length + this.#opening < ahead &&
            this.#open.size + this.#opening < slots.window + ahead
        ) {
            const position = this.#next++;
            const item = work.at(position);
            if (item === undefined) return;
            this.#opening += 1;
            this.#openSample(item, position)
                .catch((error: unknown) => this.#owner.onError(error))
                .finally(() => {
                    this.#opening -= 1;
                    this.#owner.onOpened();
                });
        }
    }

    async #openSample(item: WorkItem, position: number): Promise<void> {
        const { store, stage, prepare: options } = this.#parts;
        const { id } = item.indexed;
        const [checkpoint, loaded] = await Promise.all([store.read(id), item.dataset.load(item.indexed)]);
        const prepared = prepare(loaded, options);
        const first = plan(prepared, checkpoint, null, options);
        const staged =
            stage !== null &&
            (first.due.length > 0 || awaitsLimit(prepared, first)) &&
            prepared.sample.judging !== null
                ? await stage(prepared.sample)
                : null;
        if (this.#owner.isStopping()) {
            await staged?.release();
            return;
        }
        const sample = new OpenSample(store.open(first.state), staged, prepared, checkpoint, first, options, {
            position,
            row: item.indexed.fingerprint,
        });
        this.#open.set(id, sample);
        const { due, dueBy } = sample;
        this.#parts.emit({ type: 'sample-started', at: now(), sample: id, due, dueBy });
        if (sample.isIdle) this.#owner.onIdle(sample);
        else this.#withTasks.push(sample);
    }
}

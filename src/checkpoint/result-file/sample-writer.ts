import type { FileStamp, SupersededEntry } from '../../model/checkpoint.js';
import type { ComputedLimits, Entry, OpenTask } from '../../model/entry.js';
import type { SampleTally } from '../../model/tally.js';
import { pause, chooseWaitingBound } from './pacing.js';
import type { SampleContent } from './sample-content.js';
import type { SampleWriter } from '../store.js';

/** What a writer needs from its store. */
export interface WriterHost {
    /** Id of the run, written to every file; null if no run is in progress. */
    run(): string | null;
    /** Runs `write` when its turn comes: the number of files written at once is bounded. */
    enter(write: () => Promise<FileStamp>): Promise<FileStamp>;
    /** Replaces the old file with the rendered one, after keeping what would be lost. */
    replace(chunks: readonly Buffer[], lost: readonly SupersededEntry[]): Promise<FileStamp>;
    /** Bytes that started (positive) or stopped (negative) waiting. */
    waiting(bytes: number): void;
    /** True when so many results wait that pauses are skipped. */
    isPressed(): boolean;
    closed(): void;
}

/** Changes that go to disk together: all who wait for one of them share a promise. */
interface Batch {
    readonly promise: Promise<void>;
    readonly settle: (error: unknown) => void;
}

/**
 * One open sample: collects changes during a write or a pause, and then writes them all at once.
 *
 *     idle --change--> due (timer) --time, bytes, flush--> writing --done--> idle, or due if changes came meanwhile
 */
export class FileSampleWriter implements SampleWriter {
    readonly #content: SampleContent;
    readonly #host: WriterHost;
    #batch: Batch | null = null;
    #waiting = 0;
    #writing: Promise<void> | null = null;
    #timer: NodeJS.Timeout | null = null;
    #scheduled = false;
    #urgent = false;
    #lastStart = Number.NEGATIVE_INFINITY;
    #size = 0;
    #stamp: FileStamp | null = null;
    #error: unknown = null;
    #closed = false;

    constructor(content: SampleContent, dirty: boolean, host: WriterHost) {
        this.#content = content;
        this.#host = host;
        // Written no later than when the sample is closed.
        if (dirty) this.#openBatch();
    }

    commit(
        group: string,
        entry: Entry,
        by: { readonly apiUsed: string; readonly workerId: string },
    ): Promise<Entry> {
        this.#content.setWriter(by.apiUsed, by.workerId);
        const wasWhole = this.#content.isWhole;
        const { entry: written, bytes } = this.#content.commit(group, entry);
        if (!wasWhole && this.#content.isWhole) this.#urgent = true;
        return this.#changed(bytes).then(() => written);
    }

    note(kind: 'failures' | 'pending', task: OpenTask): Promise<OpenTask> {
        const { task: written, bytes } = this.#content.note(kind, task);
        return this.#changed(bytes).then(() => written);
    }

    setComputedLimits(limits: ComputedLimits): Promise<void> {
        this.#content.setComputedLimits(limits);
        return this.#changed(0);
    }

    get computedLimits(): ComputedLimits | null {
        return this.#content.computedLimits;
    }

    getEntries(group: string): readonly Entry[] {
        return this.#content.getEntries(group);
    }

    tally(): SampleTally {
        return this.#content.tally();
    }

    /** The next write skips its pause; does not wait. */
    hurry(): void {
        if (this.#batch === null || this.#urgent) return;
        this.#urgent = true;
        this.schedule();
    }

    /** Writes what waits, skipping the pause. */
    async flush(): Promise<void> {
        while (this.#batch !== null || this.#writing !== null) {
            const promise = this.#batch?.promise ?? this.#writing;
            this.#urgent = true;
            this.schedule();
            await promise;
        }
    }

    async close(): Promise<FileStamp | null> {
        this.#closed = true;
        try {
            await this.flush();
            if (this.#error !== null) throw this.#error;
            return this.#stamp;
        } finally {
            this.#host.closed();
        }
    }

    #changed(bytes: number): Promise<void> {
        if (this.#closed)
            return Promise.reject(new Error(`bug in resume-run: ${this.#content.id} is closed`));
        if (this.#error !== null) return Promise.reject(asError(this.#error));
        const batch = this.#batch ?? this.#openBatch();
        this.#waiting += bytes;
        this.#host.waiting(bytes);
        this.schedule();
        return batch.promise;
    }

    #openBatch(): Batch {
        const { promise, resolve, reject } = makeDeferred();
        // Callers that wait see the rejection; if there are none, it must not end the process.
        promise.catch(() => undefined);
        const settle = (error: unknown): void => (error === null ? resolve() : reject(asError(error)));
        this.#batch = { promise, settle };
        return this.#batch;
    }

    /** Starts a write if one is due, or sets the timer for it. */
    schedule(): void {
        if (this.#batch === null || this.#writing !== null || this.#scheduled) return;
        const left = this.#urgent || this.#host.isPressed() ? 0 : this.#pauseLeft();
        if (left > 0) {
            this.#timer ??= setTimeout(() => {
                this.#timer = null;
                this.schedule();
            }, left);
            return;
        }
        if (this.#timer !== null) clearTimeout(this.#timer);
        this.#timer = null;
        // Include changes of the same turn of the event loop.
        this.#scheduled = true;
        setImmediate(() => {
            this.#scheduled = false;
            this.#writing = this.#write();
        });
    }

    #pauseLeft(): number {
        if (this.#waiting >= chooseWaitingBound(this.#size)) return 0;
        return this.#lastStart + pause(this.#size) - performance.now();
    }

    async #write(): Promise<void> {
        let batch: Batch | null = null;
        let bytes = 0;
        try {
            this.#stamp = await this.#host.enter(() => {
                // Taken only now, to include what came while this sample waited for its turn.
                batch = this.#batch;
                bytes = this.#waiting;
                this.#batch = null;
                this.#waiting = 0;
                this.#urgent = false;
                this.#lastStart = performance.now();
                return this.#host.replace(
                    this.#content.render(this.#host.run()),
                    this.#content.takeSuperseded(),
                );
            });
            this.#size = this.#stamp.size;
        } catch (error) {
            this.#error = error;
        }
        this.#host.waiting(-bytes);
        this.#settle(batch);
    }

    #settle(batch: Batch | null): void {
        this.#writing = null;
        batch?.settle(this.#error);
        if (this.#error !== null) {
            // Do not retry this sample: what came meanwhile is not on disk either.
            this.#batch?.settle(this.#error);
            this.#batch = null;
            this.#host.waiting(-this.#waiting);
            this.#waiting = 0;
            return;
        }
        this.schedule();
    }
}

function makeDeferred(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
    let resolve = (): void => undefined;
    let reject: (error: Error) => void = () => undefined;
    const promise = new Promise<void>((yes, no) => {
        resolve = yes;
        reject = no;
    });
    return { promise, resolve, reject };
}

function asError(error: unknown): Error {
    return error instanceof Error ? error : new Error(String(error));
}

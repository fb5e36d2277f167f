import type { CheckpointStore, SampleWriter } from '../../checkpoint/store.js';
import type { Checkpoint, FileStamp, KeptEntry, SampleState } from '../../model/checkpoint.js';
import type { ComputedLimits, Entry, OpenTask } from '../../model/entry.js';
import type { SampleTally } from '../../model/tally.js';
import { recordOfEntry, recordOfFailure, buildRecords } from '../../results/collect/checkpoint-records.js';
import type { RecordKey } from '../../results/record/record.js';
import type { Spool } from '../../results/spool/spool.js';
import { stampText } from '../../results/spool/spool-marks.js';
import { Retirements } from './retirements.js';

export interface SpoolingOptions {
    readonly spool: Spool;
    /** Id of the run, read at every change. */
    readonly run: () => string;
    /** A read-only store for the same results. */
    readonly reader: CheckpointStore;
}

/**
 * Wraps a checkpoint store to spool what it commits. A change is spooled only after it is on disk, and nothing waits for the
 * spool.
 */
export function withSpool(store: CheckpointStore, options: SpoolingOptions): CheckpointStore {
    /** Checkpoints that have been read while their sample is not open yet. */
    const read = new Map<string, Checkpoint>();
    return {
        read: async (id) => {
            const checkpoint = await store.read(id);
            if (checkpoint !== null) read.set(id, checkpoint);
            return checkpoint;
        },
        isEmpty: () => store.isEmpty(),
        stamp: (id) => store.stamp(id),
        open: (state) => {
            const before = read.get(state.id) ?? null;
            read.delete(state.id);
            return new SpoolingWriter(store.open(state), state, before, options);
        },
        room: () => store.room(),
        hurry: () => store.hurry(),
        flush: () => store.flush(),
        close: () => store.close(),
    };
}

/**
 * Spools all records of a sample as its file now has them, and marks the sample.
 * @param retired records that the sample may have had before
 */
export async function spoolSample(
    id: string,
    retired: Retirements,
    { spool, run, reader }: SpoolingOptions,
): Promise<void> {
    const checkpoint = await reader.read(id);
    if (checkpoint === null) return;
    for (const record of buildRecords(checkpoint, run())) {
        retired.drop(record);
        spool.add(id, { kind: 'record', record });
    }
    for (const retirement of retired.all())
        if (retirement.sample === id) spool.add(id, { kind: 'retirement', retirement });
    spool.mark({ sample: id, stamp: stampText(checkpoint.stamp) });
}

class SpoolingWriter implements SampleWriter {
    readonly #writer: SampleWriter;
    readonly #options: SpoolingOptions;
    readonly #state: SampleState;
    /** The previous contents of the file. */
    readonly #before: Checkpoint | null;
    readonly #kept: ReadonlyMap<string, KeptEntry>;

    constructor(
        writer: SampleWriter,
        state: SampleState,
        before: Checkpoint | null,
        options: SpoolingOptions,
    ) {
        this.#writer = writer;
        this.#state = state;
        this.#before = before;
        this.#options = options;
        this.#kept = new Map(state.kept.map((kept) => [makeTaskKey(kept.group, kept.index), kept]));
    }

    async commit(
        group: string,
        entry: Entry,
        by: { readonly apiUsed: string; readonly workerId: string },
    ): Promise<Entry> {
        const written = await this.#writer.commit(group, entry, by);
        const key = this.#makeKey(group, written);
        const record = recordOfEntry(written, key);
        if (record !== null) this.#options.spool.add(this.#state.id, { kind: 'record', record });
        this.#retireReplaced(group, written);
        return written;
    }

    async note(kind: 'failures' | 'pending', task: OpenTask): Promise<OpenTask> {
        const written = await this.#writer.note(kind, task);
        if (kind === 'failures') {
            const record = recordOfFailure(written, this.#options.run(), this.#state.id);
            this.#options.spool.add(this.#state.id, { kind: 'record', record });
        }
        return written;
    }

    setComputedLimits(limits: ComputedLimits): Promise<void> {
        return this.#writer.setComputedLimits(limits);
    }

    get computedLimits(): ComputedLimits | null {
        return this.#writer.computedLimits;
    }

    getEntries(group: string): readonly Entry[] {
        return this.#writer.getEntries(group);
    }

    tally(): SampleTally {
        return this.#writer.tally();
    }

    async close(): Promise<FileStamp | null> {
        const stamp = await this.#writer.close();
        if (stamp === null) return null;
        if (this.#state.dirty || this.#state.origin === 'earlier') await this.#respool();
        else this.#options.spool.mark({ sample: this.#state.id, stamp: stampText(stamp) });
        return stamp;
    }

    /** Spools the sample again, because the file has changed beyond the commits: entries moved, or no longer belong to a task. */
    async #respool(): Promise<void> {
        const run = this.#options.run();
        const { id: sample, superseded } = this.#state;
        const retired = new Retirements();
        for (const { group, stored } of superseded) {
            const { fingerprint, occurrence = 0, revision = 1 } = stored.entry;
            if (fingerprint !== null) retired.add({ run, sample, group, fingerprint, occurrence, revision });
        }
        if (this.#before?.origin === 'earlier') retired.addEarlier(this.#before, run);
        // `spoolSample` drops those that the file still contains.
        for (const { group, fingerprint, occurrence = 0, revision = 1 } of this.#before?.failures ?? [])
            retired.add({ run, sample, group, fingerprint, occurrence, revision });
        // A sample that cannot be read now stays unmarked, so that the next start spools it.
        await spoolSample(sample, retired, this.#options).catch(() => undefined);
    }

    /** Retires the record of an entry that was replaced by one with another input. */
    #retireReplaced(group: string, { index, fingerprint, occurrence = 0 }: Entry): void {
        const kept = this.#kept.get(makeTaskKey(group, index));
        if (kept === undefined || (kept.fingerprint === fingerprint && kept.occurrence === occurrence))
            return;
        const { fingerprint: replaced, occurrence: which } = kept;
        const revision = kept.stored.entry.revision ?? 1;
        const key = this.#makeKey(group, { fingerprint: replaced, occurrence: which });
        this.#options.spool.add(key.sample, { kind: 'retirement', retirement: { ...key, revision } });
    }

    #makeKey(
        group: string,
        { fingerprint, occurrence = 0 }: Pick<Entry, 'fingerprint' | 'occurrence'>,
    ): RecordKey {
        return { run: this.#options.run(), sample: this.#state.id, group, fingerprint, occurrence };
    }
}

const makeTaskKey = (group: string, index: number): string => `${index} ${group}`;

import type { CheckpointStore } from '../../checkpoint/store.js';
import type { RunConfig } from '../../config.js';
import { makeDirectory } from '../../host/durable-write.js';
import { Spool } from '../../results/spool/spool.js';
import { SpoolMarks } from '../../results/spool/spool-marks.js';
import { describeIoError } from '../../util/io-error.js';
import { getMessage } from '../../util/message.js';
import type { Directory } from '../directory/directory.js';
import { Retirements } from './retirements.js';
import type { Samples } from '../samples.js';
import { type SpoolingOptions, spoolSample, withSpool } from './spooling-store.js';

type Notify = (message: string, level: 'info' | 'warning') => void;

/** Interval in milliseconds at which marks are saved; after a kill, changes since then are spooled again. */
const SAVE_EVERY = 30_000;

/** The spool of one run. */
export interface ResultSpool {
    /** The store whose commits are spooled. */
    wrap(store: CheckpointStore): CheckpointStore;
    /** Waits until every committed change has been spooled, or spooling it has failed. Never throws. */
    close(): Promise<void>;
}

/**
 * Opens the spool of a run, and starts to spool every sample that changed since its last durable mark: changes that an earlier
 * start did not get to spool before it was killed.
 * @returns null, with a notice, if the folder cannot be used: the run continues without it
 */
export async function openResultSpool(
    config: Pick<RunConfig, 'collecting' | 'checkpoints' | 'part'>,
    directory: Directory,
    samples: Samples,
    notify: Notify,
): Promise<ResultSpool | null> {
    const { lock } = directory;
    const { tempDir } = config.collecting;
    if (lock === null) return null;
    try {
        await makeDirectory(tempDir);
    } catch (error) {
        notify(
            `ResultCollector不可用 (results are not collected: ${tempDir} cannot be made: ${describeIoError(error)})`,
            'warning',
        );
        return null;
    }
    const { shard } = config.part;
    const part = shard === null ? null : `${shard.index}-of-${shard.count}`;
    const marks = await SpoolMarks.load(config.checkpoints, part, tempDir, lock.id);
    const spool = new Spool({
        dir: tempDir,
        name: directory.run,
        holder: lock.id,
        onNotice: (message) => notify(message, 'warning'),
        onDurable: (mark) => marks.set(mark),
    });
    const options: SpoolingOptions = { spool, run: () => directory.run, reader: directory.reader(samples) };
    const ids = (shard === null ? samples.whole : samples.part).ids();
    return new RunSpool(options, marks, spoolChanged(ids, marks, config.checkpoints, options), notify);
}

/** Spools the samples whose marks are missing or outdated. */
async function spoolChanged(
    ids: Iterable<string>,
    marks: SpoolMarks,
    checkpoints: string,
    options: SpoolingOptions,
): Promise<void> {
    const changed = new Set<string>();
    for (const id of ids) {
        const stamp = await options.reader.stamp(id);
        if (stamp !== null && !marks.has(id, stamp)) changed.add(id);
    }
    if (changed.size === 0) return;
    const run = options.run();
    const retired = await Retirements.load(checkpoints, run, changed);
    await retired.addUpgraded(checkpoints, run, changed);
    for (const id of changed) {
        await spoolSample(id, retired, options);
        await options.spool.waitForRoom();
    }
}

class RunSpool implements ResultSpool {
    readonly #options: SpoolingOptions;
    readonly #marks: SpoolMarks;
    readonly #spooling: Promise<void>;
    readonly #timer: NodeJS.Timeout;

    constructor(options: SpoolingOptions, marks: SpoolMarks, spooling: Promise<void>, notify: Notify) {
        this.#options = options;
        this.#marks = marks;
        this.#spooling = spooling.catch((error: unknown) =>
            notify(`some earlier results are not collected: ${getMessage(error)}`, 'warning'),
        );
        this.#timer = setInterval(() => void marks.save(), SAVE_EVERY).unref();
    }

    wrap(store: CheckpointStore): CheckpointStore {
        return withSpool(store, this.#options);
    }

    async close(): Promise<void> {
        clearInterval(this.#timer);
        await this.#spooling;
        await this.#options.spool.flush();
        await this.#marks.save();
    }
}

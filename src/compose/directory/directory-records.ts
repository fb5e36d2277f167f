import { readRunFile } from '../../checkpoint/run-directory/run-file.js';
import { listFileKinds } from '../../host/listing.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import { noticeFirstPercent } from '../../results/collect/percent-notice.js';
import type { RecordVersion, Retirement } from '../../results/record/record.js';
import { CheckpointReader } from './checkpoint-reader.js';
import { formatCount } from '../../report/format.js';
import { asTyped } from '../output.js';
import { deriveEarlierRunId } from './directory.js';
import { type KnownSamples, KnownSamplesReader } from './known-samples.js';
import type { RunPaths } from './run-paths.js';
import { Retirements } from '../collect/retirements.js';

/** What is told of a task of a result file: its record, whole or in part, and perhaps more. */
export interface DescribedTask {
    readonly record: RecordVersion;
}

/** Describes the tasks of a result file: `tasksOfCheckpoint`, `briefTasksOfCheckpoint`. */
export type DescribeTasks<T extends DescribedTask> = (
    checkpoint: Checkpoint,
    run: string,
    onPercent: (rate: number) => void,
) => Iterable<T>;

export type DirectoryChange<T extends DescribedTask> =
    | ({ readonly kind: 'record' } & T)
    | { readonly kind: 'retirement'; readonly retirement: Retirement };

export interface DirectoryRecordsOptions {
    /** Told of each file that is left out, and of values that were converted. */
    readonly onNotice: (message: string) => void;
    /** Told of each result file that was read. */
    readonly onFile?: () => void;
    /** Files of the directory to read; all of them if absent. */
    readonly names?: readonly string[];
    /** Told of each file that is not a result file, and why it is not; a notice if absent. */
    readonly onOther?: (path: string, why: string) => void;
}

/**
 * The records of a results directory, and a retirement for each record that it had before and has no more. Needs no lock:
 * result files are replaced as a whole, and what a run writes meanwhile comes with the next collection.
 * @throws UserError (exit 2) if the directory or one of its files cannot be read
 */
export async function* readDirectoryRecords<T extends DescribedTask>(
    place: RunPaths,
    describe: DescribeTasks<T>,
    options: DirectoryRecordsOptions,
): AsyncGenerator<readonly DirectoryChange<T>[]> {
    const listing = await listFileKinds(place.dir);
    const run = (await deriveEarlierRunId(place, await readRunFile(place.checkpoints), listing.names)) ?? '';
    const isPart = options.names !== undefined;
    const retired = await Retirements.load(place.checkpoints, run);
    const { onNotice } = options;
    const onPercent = noticeFirstPercent(onNotice);
    const { onOther = makeOtherNotice(onNotice) } = options;
    const reader = new CheckpointReader(place, { convert: (checkpoint) => checkpoint, onOther });
    const { names = listing.names } = options;
    for await (const checkpoints of reader.read({ ...listing, names }, isPart)) {
        const changes: DirectoryChange<T>[] = [];
        for (const checkpoint of checkpoints) {
            options.onFile?.();
            const tasks = describe(checkpoint, run, (rate) =>
                onPercent(`${place.dir}: ${checkpoint.id}`, rate),
            );
            for (const task of tasks) {
                retired.drop(task.record);
                changes.push({ kind: 'record', ...task });
            }
        }
        yield changes;
    }
    await retired.addUpgraded(place.checkpoints, run, reader.current);
    const retirements = Array.from(
        retired.all(),
        (retirement) => ({ kind: 'retirement', retirement }) as const,
    );
    yield retirements.filter(({ retirement }) => !isPart || reader.current.has(retirement.sample));
}

/** Says that a file is no result file, and why it is not. */
export const makeOtherNotice =
    (onNotice: (message: string) => void) =>
    (path: string, why: string): void =>
        onNotice(`${path} is left out: ${why}; resume-run check says more`);

/**
 * The same without samples that the directory's datasets no longer have: what rates are made of. A notice says how many of them
 * there are, or that a dataset cannot be read, so that all count.
 * @throws as `readDirectoryRecords`
 */
export async function* readCountedRecords<T extends DescribedTask>(
    place: RunPaths,
    describe: DescribeTasks<T>,
    options: DirectoryRecordsOptions,
): AsyncGenerator<readonly DirectoryChange<T>[]> {
    const counted = await CountedSamples.read(place, options.onNotice);
    for await (const changes of readDirectoryRecords(place, describe, options))
        yield changes.filter((change) => change.kind !== 'record' || counted.has(change.record.sample));
    counted.tellRemoved();
}

/** Samples that the datasets of a directory still have; what was asked for and is not among them is told in one notice. */
export class CountedSamples {
    readonly #removed = new Set<string>();

    private constructor(
        private readonly place: RunPaths,
        private readonly known: KnownSamples | null,
        private readonly onNotice: (message: string) => void,
    ) {}

    static async read(place: RunPaths, onNotice: (message: string) => void): Promise<CountedSamples> {
        const reader = new KnownSamplesReader(place.checkpoints, onNotice);
        return new CountedSamples(place, await reader.read(await readRunFile(place.checkpoints)), onNotice);
    }

    has(sample: string): boolean {
        if (this.known === null || this.known.has(sample)) return true;
        this.#removed.add(sample);
        return false;
    }

    tellRemoved(): void {
        if (this.#removed.size === 0) return;
        this.onNotice(
            `${asTyped(this.place.dir)}: ${formatCount(this.#removed.size, 'sample')} left out that the dataset no longer has`,
        );
    }
}

import { readRunFile } from '../../checkpoint/run-directory/run-file.js';
import { listFileKinds } from '../../host/listing.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import { noticeFirstPercent } from '../../results/collect/percent-notice.js';
import type { RecordVersion, Retirement } from '../../results/record/record.js';
import { CheckpointReader, tellOther } from './checkpoint-reader.js';
import { CountedSamples } from './counted-samples.js';
import { deriveEarlierRunId } from './directory.js';
import { DirectoryIndexes } from './directory-indexes.js';
import type { RunPaths } from './run-paths.js';
import { Retirements } from '../collect/retirements.js';

/** A task as read from a result file: its record, whole or in part, and possibly more. */
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
    /** Called for each file that is left out, and for values that were converted. */
    readonly onNotice: (message: string) => void;
    /** Called for each result file that was read. */
    readonly onFile?: () => void;
    /** Files of the directory to read; absent: all. */
    readonly names?: readonly string[];
    /** Called for each file that is not a result file, with the reason; absent: prints a notice. */
    readonly onOther?: (path: string, why: string) => void;
}

/**
 * The records of a results directory, and a retirement for each record that it no longer has. Needs no lock: result files are
 * replaced atomically, and what a run writes meanwhile is left to the next collection.
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
    const reader = new CheckpointReader(place, options.onOther ?? tellOther(onNotice));
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

/**
 * Like `readDirectoryRecords`, but without samples that the directory's datasets no longer have: the input of rates. A notice
 * gives their number, or says that a dataset cannot be read, so that all samples count.
 * @throws as `readDirectoryRecords`
 */
export async function* readCountedRecords<T extends DescribedTask>(
    place: RunPaths,
    describe: DescribeTasks<T>,
    options: DirectoryRecordsOptions,
): AsyncGenerator<readonly DirectoryChange<T>[]> {
    const counted = await CountedSamples.read(place, new DirectoryIndexes(place), options.onNotice);
    for await (const changes of readDirectoryRecords(place, describe, options))
        yield changes.filter((change) => change.kind !== 'record' || counted.has(change.record.sample));
    counted.tellRemoved();
}

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { chooseCheckpointsFolder } from '../config.js';
import type { OptionTable } from '../config/option.js';
import { RUN_OPTIONS } from '../config/run-options.js';
import type {
    DescribedTask,
    DescribeTasks,
    DirectoryChange,
} from '../compose/directory/directory-records.js';
import type { SampleGroup } from '../model/success-counts.js';
import type { BriefRecords } from '../results/ask/question.js';
import type { BriefRecord, RecordVersion, ResultRecord } from '../results/record/record.js';
import { readReason } from '../util/io-error.js';
import { UserError } from '../util/user-error.js';

/** Options that select the records that a command works on, and say where its answer goes. */
export const RECORD_OPTIONS = {
    dir: {
        kind: 'path',
        aliases: ['d'],
        repeatable: true,
        default: null,
        defaultText: 'results',
        placeholder: '<dir>',
        group: 'Where things are',
        about: 'Results directory to read; may be given more than once. Needs no database',
        decides: 'run',
        only: 'command line',
    },
    checkpoints: RUN_OPTIONS.checkpoints,
    config: RUN_OPTIONS.config,
    database: {
        kind: 'path',
        default: null,
        placeholder: '<folder>',
        group: 'Where things are',
        about: 'Results database to read, instead of results directories',
        decides: 'run',
        only: 'command line',
    },
    output: {
        kind: 'path',
        aliases: ['o'],
        default: null,
        defaultText: 'stdout',
        placeholder: '<file>',
        group: 'What you see',
        about: 'Output file; it is never left half-written',
        decides: 'display',
        only: 'command line',
    },
} as const satisfies OptionTable;

/** Where records come from. */
export interface RecordPlace {
    readonly dir: readonly string[] | null;
    readonly checkpoints: string | null;
    readonly database: string | null;
}

/** Records in chunks, each key once. */
export type RecordStream = AsyncIterable<readonly ResultRecord[]>;

/**
 * The records of a database, or those of results directories, each key once. As in `report`, samples that their datasets no
 * longer have are left out, and a warning gives their number.
 * @throws UserError (exit 2) if there is nothing to read
 */
export async function openRecords(place: RecordPlace): Promise<RecordStream> {
    const { dir, database } = place;
    if (database !== null) {
        if (dir !== null)
            throw new UserError('--dir and --database cannot be used together: give one of them');
        const { readGeneration } = await import('../results/store/read-generation.js');
        return await (await readGeneration(database)).records();
    }
    const { tasksOfCheckpoint } = await import('../results/collect/checkpoint-records.js');
    return await openDirectories(place, tasksOfCheckpoint, ({ record }) => record, { withoutRemoved: true });
}

/**
 * Like `openRecords`, but only for results directories, and only with the fields that rates are computed from. @throws as
 * `openRecords`
 */
export async function openBriefRecords(
    place: Pick<RecordPlace, 'dir' | 'checkpoints'>,
): Promise<BriefRecords> {
    const { briefTasksOfCheckpoint } = await import('../results/collect/checkpoint-records.js');
    const records = await openDirectories(place, briefTasksOfCheckpoint, ({ record }) => record, {
        withoutRemoved: true,
    });
    // A directory has one file for each sample; with several directories, each may have one.
    return { records, isBySample: (place.dir ?? []).length <= 1 };
}

/**
 * Like `openBriefRecords`. With a single directory, files of complete samples are not read if a start vouches for them: what is
 * known of their groups comes in place of records.
 * @throws as `openRecords`
 */
export async function openRatedTasks(
    place: Pick<RecordPlace, 'dir' | 'checkpoints'>,
): Promise<BriefRecords<BriefRecord | SampleGroup>> {
    const [dir = resolve('results'), ...more] = place.dir ?? [];
    if (more.length > 0) return await openBriefRecords(place);
    await requireDirectory(dir);
    const [{ readRatedTasks }, { warn }, { briefTasksOfCheckpoint }] = await Promise.all([
        import('../compose/directory/directory-rates.js'),
        import('../compose/output.js'),
        import('../results/collect/checkpoint-records.js'),
    ]);
    const checkpoints = chooseCheckpointsFolder(dir, place.checkpoints);
    const read = async function* (): AsyncGenerator<readonly (BriefRecord | SampleGroup)[]> {
        for await (const some of readRatedTasks({ dir, checkpoints }, warn)) {
            if (some.kind === 'groups') yield some.groups;
            // The run is left empty: no answer that accepts groups uses it.
            else yield Array.from(briefTasksOfCheckpoint(some.checkpoint, ''), ({ record }) => record);
        }
    };
    return { records: read(), isBySample: true };
}

/**
 * The records of results directories, each key once.
 * @param describe reads the tasks of a checkpoint
 * @param convert turns each of them into a record
 * @param withoutRemoved leaves out samples that the datasets no longer have
 * @throws UserError (exit 2) if there is nothing to read
 */
export async function openDirectories<D extends DescribedTask, T extends RecordVersion>(
    { dir, checkpoints }: Pick<RecordPlace, 'dir' | 'checkpoints'>,
    describe: DescribeTasks<D>,
    convert: (task: D) => T,
    { withoutRemoved = false }: { readonly withoutRemoved?: boolean } = {},
): Promise<AsyncIterable<readonly T[]>> {
    const [{ readCountedRecords, readDirectoryRecords }, { warn }, { keepNewest }] = await Promise.all([
        import('../compose/directory/directory-records.js'),
        import('../compose/output.js'),
        import('../results/record/newest.js'),
    ]);
    const dirs = dir ?? [resolve('results')];
    if (dirs.length > 1 && checkpoints !== null)
        throw new UserError('--checkpoints names the folder of one results directory: give --dir once');
    const read = async function* (): AsyncGenerator<readonly T[]> {
        for (const one of dirs) {
            const place = { dir: one, checkpoints: chooseCheckpointsFolder(one, checkpoints) };
            const readRecords = withoutRemoved ? readCountedRecords : readDirectoryRecords;
            yield* keepRecords(readRecords(place, describe, { onNotice: warn }), convert);
        }
    };
    for (const one of dirs) await requireDirectory(one);
    // Within one directory no key occurs twice.
    return dirs.length === 1 ? read() : keepNewest(read);
}

async function* keepRecords<D extends DescribedTask, T>(
    changes: AsyncIterable<readonly DirectoryChange<D>[]>,
    convert: (task: D) => T,
): AsyncGenerator<readonly T[]> {
    for await (const some of changes)
        yield some.flatMap((change) => (change.kind === 'record' ? [convert(change)] : []));
}

async function requireDirectory(dir: string): Promise<void> {
    const stats = await stat(dir).catch((error: unknown) => {
        throw new UserError(`cannot read ${dir}: ${readReason(error)}; name results with --dir`, 2, {
            cause: error,
        });
    });
    if (!stats.isDirectory()) throw new UserError(`${dir}: expected a results directory, got a file`);
    const { isDatabaseFolder } = await import('../results/store/is-database.js');
    if (await isDatabaseFolder(dir))
        throw new UserError(`${dir} is a results database, not a results directory: name it with --database`);
}

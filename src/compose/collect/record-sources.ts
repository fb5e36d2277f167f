import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { chooseCheckpointsFolder } from '../../config.js';
import { listFiles } from '../../host/listing.js';
import type { AggregateSet } from '../../results/aggregate/aggregate-files.js';
import { readAggregatesFromJson } from '../../results/aggregate/earlier-database.js';
import { BatchReader, readBatchFile } from '../../results/collect/batch-file.js';
import { tasksOfCheckpoint } from '../../results/collect/checkpoint-records.js';
import { noticeFirstPercent } from '../../results/collect/percent-notice.js';
import type { RecordSource, SourceCounts } from '../../results/collect/source.js';
import type { BatchChange } from '../../results/record/record.js';
import { isDatabaseFolder } from '../../results/store/is-database.js';
import { readReason } from '../../util/io-error.js';
import { UserError } from '../../util/user-error.js';
import { readDirectoryRecords } from '../directory/directory-records.js';
import { refuseOthers } from '../../util/regular-file.js';

/** What `--from` names. */
export interface CollectSources {
    readonly records: readonly RecordSource[];
    /** Parquet files of the earlier tools. */
    readonly parquet: readonly string[];
    /** JSON databases of the earlier tools found among the files; complete once all records have been read. */
    readonly databases: readonly AggregateSet[];
}

export interface RecordSourceOptions {
    /** `--checkpoints`; null: the folder beside each directory. */
    readonly checkpoints: string | null;
    readonly counts: SourceCounts;
    readonly onNotice: (message: string) => void;
}

/**
 * Identifies the paths of `--from`: results directories, folders of batches, databases of the earlier tools, or single files of
 * these.
 * @param paths absolute
 * @throws UserError (exit 2) for a path that does not exist or is a results database
 */
export async function openRecordSources(
    paths: readonly string[],
    options: RecordSourceOptions,
): Promise<CollectSources> {
    const parquet: string[] = [];
    const databases: AggregateSet[] = [];
    const byDirectory = new Map<string, string[] | null>();
    for (const path of paths) {
        if (await isDirectory(path)) {
            await refuseDatabase(path);
            const files = await listEarlierParquet(path);
            if (files.length > 0) parquet.push(...files);
            else byDirectory.set(path, null);
            continue;
        }
        if (path.endsWith('.parquet')) {
            parquet.push(path);
            continue;
        }
        const names = byDirectory.get(dirname(path));
        if (names === undefined) byDirectory.set(dirname(path), [basename(path)]);
        else names?.push(basename(path));
    }
    const records = [...byDirectory].map(([dir, names]) => makeSource(dir, names, databases, options));
    return { records, parquet, databases };
}

/** The earlier tools' Parquet folder: `test_results.parquet`, and increments that have not been merged into it yet. */
async function listEarlierParquet(dir: string): Promise<readonly string[]> {
    const main = join(dir, 'test_results.parquet');
    const increments = await listFiles(join(dir, 'incremental'));
    const files = increments.filter((name) => name.endsWith('.parquet')).sort();
    const hasMain = (await listFiles(dir)).includes('test_results.parquet');
    if (!hasMain && files.length === 0) return [];
    return [...(hasMain ? [main] : []), ...files.map((name) => join(dir, 'incremental', name))];
}

function makeSource(
    dir: string,
    names: readonly string[] | null,
    databases: AggregateSet[],
    { checkpoints, counts, onNotice }: RecordSourceOptions,
): RecordSource {
    const reader = new BatchReader();
    const onPercent = noticeFirstPercent(onNotice);
    const leaveOut = (path: string, why: string): readonly BatchChange[] => {
        counts.skipped.push({ path, why });
        onNotice(`${path} is left out: ${why}`);
        return [];
    };
    /** @param why the reason why it is not a result file */
    const readOther = async (path: string, why: string): Promise<readonly BatchChange[]> => {
        const file = await readBatchFile(path, onPercent, reader);
        switch (file.kind) {
            case 'batch':
                counts.files += 1;
                return file.changes;
            case 'absent':
                return [];
            case 'database':
                counts.files += 1;
                databases.push(readAggregatesFromJson(path, file.json, file.sha256));
                return [];
            case 'torn':
            case 'foreign':
                return leaveOut(path, file.why);
            case 'unknown':
                return leaveOut(path, why);
            case 'too-large':
                return leaveOut(path, `${why}; ${file.why}`);
        }
    };
    const place = { dir, checkpoints: chooseCheckpointsFolder(dir, checkpoints) };
    return {
        name: dir,
        changes: async function* () {
            const others: { readonly path: string; readonly why: string }[] = [];
            const read = readDirectoryRecords(place, tasksOfCheckpoint, {
                onNotice,
                onOther: (path, why) => others.push({ path, why }),
                onFile: () => {
                    counts.files += 1;
                },
                ...(names === null ? {} : { names }),
            });
            for await (const changes of read) yield* changes;
            // One file at a time, as a folder may hold a million records.
            for (const { path, why } of others) yield* await readOther(path, why);
        },
    };
}

async function isDirectory(path: string): Promise<boolean> {
    try {
        const stats = await stat(path);
        if (!stats.isDirectory()) refuseOthers(path, stats);
        return stats.isDirectory();
    } catch (error) {
        throw new UserError(`cannot read ${path}: ${readReason(error)}`, 2, { cause: error });
    }
}

/** Refuses a results database: it is only a copy, and results are collected from their original place. */
async function refuseDatabase(dir: string): Promise<void> {
    if (!(await isDatabaseFolder(dir))) return;
    throw new UserError(
        `${dir} is a results database: expected results directories or files; name the database with --database`,
    );
}

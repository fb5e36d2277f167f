import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { checkpointsFolder } from '../config.js';
import { readBatchFile } from '../results/collect/batch-file.js';
import type { RecordSource, SourceCounts } from '../results/collect/source.js';
import type { RecordChange } from '../results/record/record.js';
import { ioCode, readReason } from '../util/io-error.js';
import { UserError } from '../util/user-error.js';
import { readDirectoryRecords } from './directory-records.js';

export interface RecordSourceOptions {
    /** `--checkpoints`; null: beside each directory. */
    readonly checkpoints: string | null;
    readonly counts: SourceCounts;
    readonly onNotice: (message: string) => void;
}

/**
 * What `--from` names: results directories, folders of batches, or single files of either.
 * @param paths absolute
 * @throws UserError (exit 2) at one that is not there, or that is a database
 */
export async function openRecordSources(
    paths: readonly string[],
    options: RecordSourceOptions,
): Promise<readonly RecordSource[]> {
    const byDirectory = new Map<string, string[] | null>();
    for (const path of paths) {
        if (await isDirectory(path)) {
            await refuseDatabase(path);
            byDirectory.set(path, null);
            continue;
        }
        const names = byDirectory.get(dirname(path));
        if (names === undefined) byDirectory.set(dirname(path), [basename(path)]);
        else names?.push(basename(path));
    }
    return [...byDirectory].map(([dir, names]) => sourceOf(dir, names, options));
}

function sourceOf(
    dir: string,
    names: readonly string[] | null,
    { checkpoints, counts, onNotice }: RecordSourceOptions,
): RecordSource {
    const readOther = async (path: string, why: string): Promise<readonly RecordChange[]> => {
        const file = await readBatchFile(path, onNotice);
        switch (file.kind) {
            case 'batch':
                counts.files += 1;
                return file.changes;
            case 'absent':
                return [];
            case 'torn':
            case 'foreign':
            case 'database':
                counts.skipped.push({ path, why });
                onNotice(`${path} is left out: ${why}`);
                return [];
        }
    };
    return {
        name: dir,
        changes: () =>
            readDirectoryRecords(
                { dir, checkpoints: checkpointsFolder(dir, checkpoints) },
                {
                    onNotice,
                    readOther,
                    onFile: () => {
                        counts.files += 1;
                    },
                    ...(names === null ? {} : { names }),
                },
            ),
    };
}

async function isDirectory(path: string): Promise<boolean> {
    try {
        return (await stat(path)).isDirectory();
    } catch (error) {
        throw new UserError(`cannot read ${path}: ${readReason(error)}`, 2, { cause: error });
    }
}

/** Results come from where they are the truth; a database is only a copy of them. */
async function refuseDatabase(dir: string): Promise<void> {
    try {
        await stat(join(dir, 'manifest.json'));
        await stat(join(dir, 'parts'));
    } catch (error) {
        if (ioCode(error) !== null) return;
        throw error;
    }
    throw new UserError(
        `${dir} is a results database: expected results directories or files; name the database with --database`,
    );
}

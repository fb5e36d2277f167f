import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextFile } from '../host/open-file.js';
import { makeOutputFile } from '../host/output-file.js';

/**
 * A dataset that a command generates from its options (topics, cells of a matrix): a file of rows in the run's checkpoints
 * folder. It is a dataset like any other there, so that a bare `resume-run --dir` resumes it.
 */
export interface GeneratedDataset {
    /** Name of the file: `topics.jsonl`. */
    readonly file: string;
    /**
     * The rows as JSON lines. Called once, while the directory is held.
     * @param before what an earlier start generated; null: nothing
     */
    readonly rows: (before: string | null) => string | Promise<string>;
    /** Ids of the samples that this start runs, read after `rows`; null or absent: all. */
    readonly samples?: () => ReadonlySet<string> | null;
}

/**
 * Writes the rows if they differ from the existing ones.
 * @param checkpoints the run's checkpoints folder, where an earlier start has left its rows
 * @param folder where the rows go: the same folder, or a scratch folder if nothing permanent may be written
 * @returns the file, as the list of the run's datasets
 * @throws WriteError
 */
export async function writeGenerated(
    { file, rows }: GeneratedDataset,
    checkpoints: string,
    folder: string,
): Promise<readonly string[]> {
    const before = await readIfThere(join(checkpoints, file));
    const content = await rows(before);
    if (content === before) return [join(checkpoints, file)];
    const path = join(folder, file);
    await makeOutputFile(path, (staging) => writeFile(staging, content, { flag: 'wx' }));
    return [path];
}

async function readIfThere(path: string): Promise<string | null> {
    try {
        return await readTextFile(path);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
    }
}

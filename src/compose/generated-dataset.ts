import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextFile } from '../host/open-file.js';
import { makeOutputFile } from '../host/output-file.js';

/**
 * A dataset that a command makes of its options (topics, cells of a matrix): a file of rows in the run's checkpoints folder.
 * It stands there like any other dataset, so that a bare `resume-run --dir` resumes it.
 */
export interface GeneratedDataset {
    /** Name of the file: `topics.jsonl`. */
    readonly file: string;
    /**
     * The rows as JSON lines. Called once, while the directory is held.
     * @param before what an earlier start made; null: there was none
     */
    readonly rows: (before: string | null) => string | Promise<string>;
    /** Ids of the samples that this start asks for, asked for after `rows`; null or absent: all. */
    readonly samples?: () => ReadonlySet<string> | null;
}

/**
 * Writes the rows where they differ from those that are there.
 * @param checkpoints the run's checkpoints folder, where an earlier start has left them
 * @param folder where they go: the same, or a scratch folder where nothing may be written that lasts
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

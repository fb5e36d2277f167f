import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { makeOutputFile } from '../host/output-file.js';
import { UserError } from '../util/user-error.js';

const STDIN_PATHS: readonly string[] = ['/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'];

/** Without an extension: the content decides the format. */
const NAME = 'stdin-dataset';

/**
 * Replaces stdin among datasets with a file of all its content, because a dataset is read again at every start. A file of an
 * earlier start is replaced: finished entries are matched by their input, as with any other dataset that changed.
 * @param folder where the file goes: the run's checkpoints folder
 * @throws UserError if stdin is a terminal; WriteError
 */
export async function spoolStdin(paths: readonly string[], folder: string): Promise<readonly string[]> {
    if (!paths.some((path) => STDIN_PATHS.includes(path))) return paths;
    if (process.stdin.isTTY) {
        throw new UserError('-: stdin is a terminal, so there is no dataset to read: pipe a file into it');
    }
    const file = join(folder, NAME);
    await makeOutputFile(file, (staging) =>
        pipeline(process.stdin, createWriteStream(staging, { flags: 'wx' })),
    );
    return paths.map((path) => (STDIN_PATHS.includes(path) ? file : path));
}

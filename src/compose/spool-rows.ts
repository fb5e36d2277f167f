import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeOutputFile } from '../host/output-file.js';
import { isJsonObject } from '../model/json.js';
import { getMessage } from '../util/message.js';
import { UserError } from '../util/user-error.js';

/** Rows that a program passes instead of a file. */
export type RowSource = Iterable<unknown> | AsyncIterable<unknown>;

/** Also the prefix of the samples' names: `rows-1of1`. */
const NAME = 'rows';

/**
 * Writes rows to a file, because a dataset is read again at every start. A file of an earlier start is replaced: finished entries
 * are matched by their input, as with any other dataset that changed. Rows are written as they arrive; none is kept in memory.
 * @param folder where the file goes: the run's checkpoints folder
 * @throws UserError for a row that is not a JSON object; WriteError; errors of the source itself
 */
export async function spoolRows(source: RowSource, folder: string): Promise<readonly string[]> {
    const file = join(folder, NAME);
    await makeOutputFile(file, (staging) =>
        pipeline(Readable.from(writeLines(source)), createWriteStream(staging, { flags: 'wx' })),
    );
    return [file];
}

async function* writeLines(source: RowSource): AsyncGenerator<string> {
    let number = 0;
    for await (const row of source) {
        yield `${serializeRow(row, number)}\n`;
        number += 1;
    }
}

function serializeRow(row: unknown, number: number): string {
    let text: string | undefined;
    try {
        text = isJsonObject(row) ? JSON.stringify(row) : undefined;
    } catch (error) {
        throw new UserError(`datasets: row ${number} cannot be written as JSON: ${getMessage(error)}`, 2, {
            cause: error,
        });
    }
    if (text === undefined) {
        const got = row === null ? 'null' : Array.isArray(row) ? 'a list' : `a ${typeof row}`;
        throw new UserError(`datasets: expected row ${number} to be an object, got ${got}`);
    }
    return text;
}

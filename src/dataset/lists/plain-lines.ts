import { isUtf8 } from 'node:buffer';
import { openFile } from '../../host/open-file.js';
import { makeDatasetError } from '../dataset-error.js';
import { Field } from '../field.js';
import { readJsonLines } from '../rows/json-lines.js';
import { MAX_ROW_BYTES } from '../rows/row.js';
import { listRows } from './json-rows.js';
import type { ListReader } from './list-reader.js';

/** Lines of text: each becomes `{"line": "..."}`, without its line end. Empty lines are skipped. */
export const PLAIN_LINES: ListReader = {
    key: 'lines',
    open: async (file) => ({
        rows: () => listRows(readJsonLines(file), parseLine),
        open: () => openFile(file),
        parse: parseLine,
    }),
};

function parseLine(bytes: Buffer | null, place: string): Field {
    if (bytes === null) {
        throw makeDatasetError(
            `${place}: the line is longer than ${MAX_ROW_BYTES / 1024 / 1024} MiB, the limit`,
        );
    }
    if (!isUtf8(bytes)) throw makeDatasetError(`${place}: the line is not valid UTF-8`);
    return Field.of({ line: bytes.toString('utf8').replace(/\r$/, '') }, place, null);
}

import type { Field } from '../field.js';
import { parseRow } from '../rows/read-row.js';
import type { RawRow } from '../rows/row.js';
import type { ListReader, ListRow } from './list-reader.js';

/** JSON objects, one on each line or in an array, or the rows of a Parquet file. */
export const JSON_ROWS: ListReader = {
    key: 'rows',
    open: async (file, files) => {
        const whole = await files.openWhole(file);
        return { rows: () => listRows(whole.rows(), parseRow), open: () => whole.open(), parse: parseRow };
    },
};

export async function* listRows(
    rows: AsyncIterable<RawRow>,
    parse: (bytes: Buffer | null, place: string) => Field,
): AsyncIterable<ListRow> {
    for await (const { line, offset, length, bytes } of rows) {
        yield { line, offset, length, read: (place) => parse(bytes, place) };
    }
}

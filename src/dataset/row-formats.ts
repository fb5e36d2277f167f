import type { DatasetFormat } from './dataset.js';
import { ROW_FORMATS } from './recognise.js';
import { RowDataset } from './row-dataset.js';

/** Opens datasets of the row format with this key. */
export function findRowFormat(key: string): DatasetFormat {
    const format = ROW_FORMATS.find((known) => known.key === key);
    if (format === undefined) throw new Error(`bug in resume-run: no row format ${key}`);
    return { open: (source, options) => new RowDataset(source, format, options) };
}

import type { DatasetFormat } from './dataset.js';
import type { ListReader } from './lists/list-reader.js';

const rows = (key: string) => async (): Promise<DatasetFormat> =>
    (await import('./row-formats.js')).findRowFormat(key);

/** Lists, in which each row is one task. */
const LIST_FORMATS = {
    csv: async () => makeListFormat((await import('./lists/delimited.js')).CSV),
    lines: async () => makeListFormat((await import('./lists/plain-lines.js')).PLAIN_LINES),
    rows: async () => makeListFormat((await import('./lists/json-rows.js')).JSON_ROWS),
    tsv: async () => makeListFormat((await import('./lists/delimited.js')).TSV),
} satisfies Record<string, () => Promise<DatasetFormat>>;

const makeListFormat = async (reader: ListReader): Promise<DatasetFormat> =>
    (await import('./lists/list-dataset.js')).listFormat(reader);

/** Formats for `--format` by name. Each is loaded only if a run needs it. */
export const DATASET_FORMATS = {
    'code-contests': rows('code-contests'),
    'code-contests-plus': rows('code-contests-plus'),
    'common-oj': rows('common-oj'),
    general: rows('general'),
    kattis: async () => (await import('./kattis/kattis.js')).kattis,
    'live-code-bench': rows('live-code-bench'),
    matrix: async () => (await import('./matrix/matrix-dataset.js')).matrixDataset,
    plain: rows('plain'),
    polygon: async () => (await import('./polygon/polygon.js')).polygon,
    'taco-apps': rows('taco-apps'),
    ...LIST_FORMATS,
} satisfies Record<string, () => Promise<DatasetFormat>>;

export type DatasetFormatName = keyof typeof DATASET_FORMATS;

export function isDatasetFormat(name: string): name is DatasetFormatName {
    return Object.hasOwn(DATASET_FORMATS, name);
}

export const isListFormat = (name: DatasetFormatName): boolean => Object.hasOwn(LIST_FORMATS, name);

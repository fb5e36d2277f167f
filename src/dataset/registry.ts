import type { DatasetFormat } from './dataset.js';
import type { ListReader } from './lists/list-reader.js';

const rows = (key: string) => async (): Promise<DatasetFormat> =>
    (await import('./row-formats.js')).rowFormat(key);

/** Lists: each row is one task. */
const LIST_FORMATS = {
    csv: async () => listOf((await import('./lists/delimited.js')).CSV),
    lines: async () => listOf((await import('./lists/plain-lines.js')).PLAIN_LINES),
    rows: async () => listOf((await import('./lists/json-rows.js')).JSON_ROWS),
    tsv: async () => listOf((await import('./lists/delimited.js')).TSV),
} satisfies Record<string, () => Promise<DatasetFormat>>;

const listOf = async (reader: ListReader): Promise<DatasetFormat> =>
    (await import('./lists/list-dataset.js')).listFormat(reader);

/** Formats of `--format` by name. Only what a run needs is loaded. */
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

import type { RunFile } from '../checkpoint/run-directory/run-file-shape.js';
import type { RunConfig } from '../config.js';
import type { Dataset, ListOptions } from '../dataset/dataset.js';
import { countBucketsInNames } from '../dataset/lists/buckets-in-names.js';
import type { ExecutorKind, ListFields } from '../executor/executor-kind.js';

/** How lists are divided into samples in a results directory; a list that was run into it before keeps its number of samples. */
export function listOptions(
    { rowsPerSample }: Pick<RunConfig, 'rowsPerSample'>,
    { judges }: Pick<ExecutorKind, 'judges'>,
    directory: { readonly known: RunFile | null; readonly listing: Iterable<string> },
): ListOptions {
    return {
        accepted: !judges,
        rowsPerSample,
        bucketsOf: (file) => directory.known?.buckets?.[file] ?? countBucketsInNames(file, directory.listing),
    };
}

/** The lists among indexed datasets. */
export const findLists = (datasets: readonly Dataset[]): readonly ListFields[] =>
    datasets.flatMap(({ path, fields }) => (fields === undefined ? [] : [{ path, fields }]));

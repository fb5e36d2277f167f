import { basename } from 'node:path';

/** `urls.csv-3of17`: includes the number of samples, so that it can be recovered from the result files if run.json is lost. */
export const makeSampleId = (path: string, bucket: number, buckets: number): string =>
    `${basename(path)}-${bucket + 1}of${buckets}`;

/** A list's number of samples according to the names of result files; null if there are none. */
export function countBucketsInNames(path: string, fileNames: Iterable<string>): number | null {
    const start = `${basename(path)}-`;
    for (const name of fileNames) {
        const found = name.startsWith(start) ? /^\d+of(\d+)\.json$/.exec(name.slice(start.length)) : null;
        const buckets = Number(found?.[1] ?? 0);
        if (Number.isSafeInteger(buckets) && buckets > 0) return buckets;
    }
    return null;
}

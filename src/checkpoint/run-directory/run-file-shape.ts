import { isJsonObject, type Json } from '../../model/json.js';

/*
 * What run.json must look like. Checked by hand: every start reads it, and loading a schema library would cost a short start a
 * tenth of its time.
 */

export interface RunFile {
    readonly version: 1;
    /** Id of the run, see run-id.ts; absent in files of version 0.1. */
    readonly run?: string;
    /** ISO 8601, UTC, as all times here. */
    readonly created_at: string;
    readonly updated_at: string;
    /** Every dataset that was run into the directory. */
    readonly datasets: { readonly path: string; readonly format: string | null }[];
    /** Options that decide verdicts or the set of tasks, by their names on the command line. */
    readonly options: Record<string, Json>;
    /** Of whole datasets, not only the part that was selected. */
    readonly totals: {
        readonly samples: number;
        readonly tasks: number;
        readonly groups: Record<string, number>;
    };
    /** Of resume-run, node and the toolchains. */
    readonly versions: Record<string, string>;
    /**
     * How outputs are compared if a sample names no checker: by its format's own rule, by tokens as in version 0.1, or by
     * `--checker`; and what that means for each format. Absent before version 0.2, and if nothing was compared here.
     */
    readonly comparison?: {
        readonly by: 'format' | 'tokens' | 'checker';
        readonly formats: Readonly<Record<string, string>>;
    };
    /** Over how many samples the rows of each list (by its path) are spread; fixed by the first start. */
    readonly buckets?: Readonly<Record<string, number>>;
    /** `--rerun` requests with their times: an entry is due to run again while its last attempt is older. */
    readonly reruns: { readonly request: string; readonly at: string; readonly only: string[] }[];
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isFilled: Check = (value) => typeof value === 'string' && value !== '';
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const readList =
    (check: Check): Check =>
    (value) =>
        Array.isArray(value) && value.every(check);
const readMap =
    (check: Check): Check =>
    (value) =>
        isJsonObject(value) && Object.values(value).every(check);
const shape =
    (fields: Readonly<Record<string, Check>>): Check =>
    (value) =>
        isJsonObject(value) && Object.entries(fields).every(([key, check]) => check(value[key]));

const optional =
    (check: Check): Check =>
    (value) =>
        value === undefined || check(value);

const FIELDS: Readonly<Record<keyof Required<RunFile>, Check>> = {
    version: (value) => value === 1,
    run: (value) => value === undefined || isFilled(value),
    created_at: isFilled,
    updated_at: isFilled,
    datasets: readList(shape({ path: isFilled, format: (value) => value === null || isText(value) })),
    options: isJsonObject,
    totals: shape({ samples: isCount, tasks: isCount, groups: readMap(isCount) }),
    versions: readMap(isText),
    comparison: optional(
        shape({
            by: (value) => value === 'format' || value === 'tokens' || value === 'checker',
            formats: readMap(isText),
        }),
    ),
    buckets: optional(readMap((value) => isCount(value) && value !== 0)),
    reruns: readList(
        shape({
            request: isFilled,
            at: isFilled,
            only: optional(readList(isText)),
        }),
    ),
};

/** Parsed JSON as a run file; null if it is not one. */
export function parseRunFile(json: unknown): RunFile | null {
    if (!shape(FIELDS)(json)) return null;
    const run = json as RunFile;
    // Absent in files of the first versions.
    return { ...run, reruns: run.reruns.map((rerun) => ({ ...rerun, only: rerun.only ?? [] })) };
}

/** What is wrong with JSON that is not a run file, in a few words. */
export function describeProblem(json: unknown): string {
    if (json === undefined) return 'no JSON';
    if (!isJsonObject(json)) return 'no JSON object';
    const wrong = Object.entries(FIELDS).find(([key, check]) => !check(json[key]));
    return wrong === undefined ? 'unknown form' : `'${wrong[0]}' is missing or not as it should be`;
}

import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import type { GroupTally, SampleTally } from '../../model/tally.js';
import { isVerdict, type Verdict } from '../../model/verdict.js';

/*
 * The text of index.json. Rows are kept by column and what repeats is written once: a start reads and checks some hundred
 * bytes for each of a hundred thousand samples, which as objects takes three times as long. In the results a number among
 * the `ids` is the place of a dataset row, counted over all dataset files; 0 among the `rows` is the fingerprint there.
 */

const VERSION = 5;

/** One row of a dataset file, as dataset/ keeps it. */
export interface IndexRow {
    readonly id: string;
    readonly locator: JsonObject;
    readonly groups: readonly (readonly [name: string, count: number])[];
    readonly fingerprint: string;
}

/** Rows of one dataset file. A locator column of a single value holds it for all rows; null: not in this row's locator. */
export interface DatasetColumns {
    readonly stamp: readonly [inode: string, size: number, mtime: string];
    readonly ids: readonly string[];
    readonly fingerprints: readonly string[];
    /** Numbers of texts. */
    readonly groups: readonly number[];
    readonly locators: { readonly [key: string]: readonly Json[] };
}

/** Complete samples: stamps of their files, fingerprints of their rows, numbers of texts. */
export interface ResultColumns {
    readonly ids: string[];
    readonly inodes: string[];
    readonly sizes: number[];
    readonly mtimes: string[];
    readonly rows: string[];
    readonly planKeys: number[];
    readonly shapes: number[];
    /** The tallies' lists by place, for those that have any. */
    readonly rest: Map<number, JsonObject>;
}

export interface IndexContent {
    readonly texts: readonly string[];
    readonly datasets: ReadonlyMap<string, DatasetColumns>;
    readonly results: ResultColumns;
}

export function makeEmptyColumns(): ResultColumns {
    return {
        ids: [],
        inodes: [],
        sizes: [],
        mtimes: [],
        rows: [],
        planKeys: [],
        shapes: [],
        rest: new Map(),
    };
}

export function writeIndex({ texts, datasets, results }: IndexContent): string {
    const { ids, fingerprints } = concatenateRows(datasets.values());
    const places = new Map(ids.map((id, place) => [id, place]));
    return JSON.stringify({
        version: VERSION,
        texts,
        datasets: [...datasets],
        results: {
            ...results,
            ids: results.ids.map((id) => places.get(id) ?? id),
            rows: results.rows.map((row, n) => {
                const place = places.get(results.ids[n] ?? '');
                return place !== undefined && fingerprints[place] === row ? 0 : row;
            }),
            rest: [...results.rest],
        },
    });
}

/** The rows of all dataset files, one after the other. */
function concatenateRows(datasets: Iterable<DatasetColumns>): Pick<DatasetColumns, 'ids' | 'fingerprints'> {
    const [first, ...others] = datasets;
    if (first === undefined) return { ids: [], fingerprints: [] };
    if (others.length === 0) return first;
    const all = [first, ...others];
    return { ids: all.flatMap((each) => each.ids), fingerprints: all.flatMap((each) => each.fingerprints) };
}

/** null: nothing that can be understood. */
export function readIndex(text: string): IndexContent | null {
    let json: Json;
    try {
        json = JSON.parse(text) as Json;
    } catch {
        return null;
    }
    if (!isJsonObject(json) || json.version !== VERSION) return null;
    const { texts, datasets, results } = json;
    if (!isList(texts, isText) || !Array.isArray(datasets) || !isJsonObject(results)) return null;
    const isNumber = (value: unknown): value is number => isCount(value) && value < texts.length;
    if (!datasets.every((item) => isDatasetItem(item, isNumber))) return null;
    const known = new Map(datasets);
    const shared = withRows(results, concatenateRows(known.values()));
    const { rest } = results;
    if (shared === null || !isResults(shared, isNumber) || !isList(rest, isRestItem)) return null;
    return { texts, datasets: known, results: { ...shared, rest: new Map(rest) } };
}

/** Puts ids and fingerprints in place of the numbers that stand for them. null: one stands for none. */
function withRows(results: JsonObject, rows: ReturnType<typeof concatenateRows>): JsonObject | null {
    const { ids, rows: fingerprints } = results;
    if (!Array.isArray(ids) || !Array.isArray(fingerprints) || fingerprints.length !== ids.length)
        return null;
    const fullIds: Json[] = [];
    const fullRows: Json[] = [];
    for (let n = 0; n < ids.length; n += 1) {
        const place: unknown = ids[n];
        const isPlace = typeof place === 'number';
        const id = isPlace ? rows.ids[place] : place;
        const row: unknown = fingerprints[n] === 0 && isPlace ? rows.fingerprints[place] : fingerprints[n];
        if (!isText(id) || !isText(row)) return null;
        fullIds.push(id);
        fullRows.push(row);
    }
    return { ...results, ids: fullIds, rows: fullRows };
}

export function packColumns(
    stamp: DatasetColumns['stamp'],
    rows: readonly IndexRow[],
    numberOf: (text: string) => number,
): DatasetColumns {
    const keys = new Set(rows.flatMap((row) => Object.keys(row.locator)));
    const column = (key: string): readonly Json[] => {
        const values = rows.map((row) => row.locator[key] ?? null);
        return values.every((value) => value === values[0]) ? values.slice(0, 1) : values;
    };
    return {
        stamp,
        ids: rows.map((row) => row.id),
        fingerprints: rows.map((row) => row.fingerprint),
        groups: rows.map((row) => numberOf(JSON.stringify(row.groups))),
        locators: Object.fromEntries(Array.from(keys, (key) => [key, column(key)])),
    };
}

/** The locator of the row at `place`. */
export function getLocatorAt(locators: DatasetColumns['locators'], place: number): JsonObject {
    const locator: Record<string, Json> = {};
    for (const key in locators) {
        const column = locators[key] ?? [];
        const value = (column.length === 1 ? column[0] : column[place]) ?? null;
        if (value !== null) locator[key] = value;
    }
    return locator;
}

export function isGroups(json: unknown): json is IndexRow['groups'] {
    return (
        Array.isArray(json) &&
        json.every((item: unknown) => Array.isArray(item) && isText(item[0]) && isCount(item[1]))
    );
}

export function isTallies(json: unknown): json is Record<string, GroupTally> {
    return isJsonObject(json) && Object.values(json).every(isGroupTally);
}

export type Lists = Pick<SampleTally, 'unexpected' | 'nearLimit' | 'aboveOwn' | 'failures' | 'skips'>;

/** A complete sample has no failures. null: not what was written. */
export function readLists(rest: JsonObject): Lists | null {
    const { unexpected, nearLimit, aboveOwn, skips } = rest;
    if (!isList(unexpected, isUnexpected) || !isList(nearLimit, isRef) || !isCounts(skips)) return null;
    return isList(aboveOwn, isRef) ? { unexpected, nearLimit, aboveOwn, failures: [], skips } : null;
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function isList<T>(value: unknown, isItem: (item: unknown) => item is T): value is readonly T[] {
    return Array.isArray(value) && value.every(isItem);
}

type IsNumber = (value: unknown) => value is number;

function isResults(json: JsonObject, isNumber: IsNumber): json is JsonObject & Omit<ResultColumns, 'rest'> {
    const { ids, inodes, sizes, mtimes, rows, planKeys, shapes } = json;
    return (
        [ids, inodes, mtimes, rows].every((column) => isList(column, isText)) &&
        isList(sizes, isCount) &&
        isList(planKeys, isNumber) &&
        isList(shapes, isNumber) &&
        [inodes, sizes, mtimes, rows, planKeys, shapes].every(
            (column) => measureLength(column) === measureLength(ids),
        )
    );
}

const measureLength = (column: unknown): number => (Array.isArray(column) ? column.length : -1);

function isRestItem(item: unknown): item is [number, JsonObject] {
    return Array.isArray(item) && isCount(item[0]) && isJsonObject(item[1]);
}

function isDatasetItem(item: unknown, isNumber: IsNumber): item is [string, DatasetColumns] {
    if (!Array.isArray(item) || !isText(item[0]) || !isJsonObject(item[1])) return false;
    const { stamp, ids, fingerprints, groups, locators }: JsonObject = item[1];
    if (!isList(ids, isText) || !isList(fingerprints, isText) || !isList(groups, isNumber)) return false;
    const count = ids.length;
    return (
        Array.isArray(stamp) &&
        isText(stamp[0]) &&
        isCount(stamp[1]) &&
        isText(stamp[2]) &&
        fingerprints.length === count &&
        groups.length === count &&
        isJsonObject(locators) &&
        !Object.hasOwn(locators, '__proto__') &&
        Object.values(locators).every((column) => [1, count].includes(measureLength(column)))
    );
}

function isGroupTally(json: unknown): boolean {
    return (
        isJsonObject(json) &&
        isJsonObject(json.verdicts) &&
        Object.entries(json.verdicts).every(([verdict, count]) => isVerdict(verdict) && isCount(count)) &&
        [json.total, json.completed, json.skipped, json.failed, json.pending].every(isCount) &&
        (json.scores === undefined || isScoreSum(json.scores))
    );
}

function isScoreSum(json: unknown): boolean {
    return isJsonObject(json) && isCount(json.tasks) && typeof json.shares === 'number';
}

function isCounts(value: unknown): value is Record<string, number> {
    return isJsonObject(value) && Object.values(value).every(isCount);
}

function isRef(value: unknown): value is SampleTally['nearLimit'][number] {
    return isJsonObject(value) && isText(value.sample) && isText(value.group) && isCount(value.index);
}

function isUnexpected(value: unknown): value is SampleTally['unexpected'][number] {
    if (!isJsonObject(value) || !isRef(value)) return false;
    const { verdict, expected }: JsonObject = value;
    return isVerdict(verdict) && isList(expected, (item): item is Verdict => isVerdict(item));
}

import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import type { GroupSizes, SampleFigures } from '../../model/directory-sample.js';
import type { SampleRows } from '../../model/sample-rows.js';
import type { GroupTally, SampleTally } from '../../model/tally.js';
import { isVerdict, type Verdict } from '../../model/verdict.js';
import { isComputedLimits } from '../result-file/parse.js';
import type { ResultColumns } from './result-columns.js';

/*
 * The text of index.json. Rows are stored by column and repeated values are written once: a start reads and checks some hundred
 * bytes for each of a million samples, and never holds the whole text. In the results, a number among the `ids` is the position
 * of a dataset row, counted over all dataset files; 0 among the `rows` stands for that row's fingerprint. A locator column with a
 * single value holds it for all rows; null means that the row's locator lacks the key.
 *
 *     {"version": 7,
 *      "datasets": [[file, {"stamp": [inode, size, mtime], "ids": [], "fingerprints": [], "groups": [texts], "locators": {key:
 *      []}}]],
 *      "results": {"ids": [], "inodes": [], "sizes": [], "mtimes": [], "rows": [], "planKeys": [texts], "shapes": [texts],
 *                  "rest": [[place, lists]]},
 *      "texts": []}
 */

export const INDEX_VERSION = 7;

/** Rows of one dataset file. */
export interface IndexedDataset {
    readonly stamp: readonly [inode: string, size: number, mtime: string];
    readonly rows: SampleRows;
}

export interface IndexContent {
    readonly texts: readonly string[];
    readonly datasets: ReadonlyMap<string, IndexedDataset>;
    readonly results: ResultColumns;
}

export function isGroups(json: unknown): json is GroupSizes {
    return (
        Array.isArray(json) &&
        json.every((item: unknown) => Array.isArray(item) && isText(item[0]) && isCount(item[1]))
    );
}

export function isTallies(json: unknown): json is Record<string, GroupTally> {
    return isJsonObject(json) && Object.values(json).every(isGroupTally);
}

/** The part of a sample's figures that no other sample shares. */
export interface SampleRest {
    readonly lists: Lists;
    readonly computedLimits: SampleFigures['computedLimits'];
}

type Lists = Pick<SampleTally, 'unexpected' | 'inPart' | 'nearLimit' | 'aboveOwn' | 'failures' | 'skips'>;

/** A complete sample has no failures. Returns null if this is not something that we wrote. */
export function readRest(rest: JsonObject): SampleRest | null {
    const { unexpected, inPart, nearLimit, aboveOwn, skips, computedLimits = null } = rest;
    if (!isList(unexpected, isUnexpected) || !isList(inPart, isScoredInPart)) return null;
    if (!isList(nearLimit, isRef) || !isList(aboveOwn, isRef) || !isCounts(skips)) return null;
    if (computedLimits !== null && !isComputedLimits(computedLimits)) return null;
    return { lists: { unexpected, inPart, nearLimit, aboveOwn, failures: [], skips }, computedLimits };
}

/** Null if the text is not JSON. */
export function parseJsonOrNull(text: string): Json {
    try {
        return JSON.parse(text) as Json;
    } catch {
        return null;
    }
}

export const isText = (value: unknown): value is string => typeof value === 'string';
export const isCount = (value: unknown): value is number =>
    Number.isSafeInteger(value) && (value as number) >= 0;

function isList<T>(value: unknown, isItem: (item: unknown) => item is T): value is readonly T[] {
    return Array.isArray(value) && value.every(isItem);
}

function isGroupTally(json: unknown): boolean {
    return (
        isJsonObject(json) &&
        isJsonObject(json.verdicts) &&
        Object.entries(json.verdicts).every(([verdict, count]) => isVerdict(verdict) && isCount(count)) &&
        [json.total, json.completed, json.skipped, json.failed, json.pending].every(isCount) &&
        (json.inPart === undefined || isCount(json.inPart)) &&
        (json.scores === undefined || isScoreSum(json.scores)) &&
        (json.success === undefined || isSuccessCounts(json.success))
    );
}

function isSuccessCounts(json: unknown): boolean {
    if (!isJsonObject(json)) return false;
    const { full, partial, failure, expected, asExpected }: JsonObject = json;
    return [full, partial, failure, expected, asExpected].every(isCount);
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

function isScoredInPart(value: unknown): value is SampleTally['inPart'][number] {
    if (!isJsonObject(value) || !isRef(value)) return false;
    const { score, best }: JsonObject = value;
    return typeof score === 'number' && typeof best === 'number';
}

function isUnexpected(value: unknown): value is SampleTally['unexpected'][number] {
    if (!isJsonObject(value) || !isRef(value)) return false;
    const { verdict, expected }: JsonObject = value;
    return isVerdict(verdict) && isList(expected, (item): item is Verdict => isVerdict(item));
}

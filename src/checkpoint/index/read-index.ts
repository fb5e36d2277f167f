import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import { type RowColumns, SampleRows } from '../../model/sample-rows.js';
import { ValueColumn } from '../../model/value-column.js';
import { NumberColumn } from '../../util/columns/number-column.js';
import { TextArray } from '../../util/columns/text-array.js';
import {
    INDEX_VERSION,
    type IndexContent,
    type IndexedDataset,
    isCount,
    isGroups,
    isText,
    parseJsonOrNull,
} from './index-content.js';
import type { IndexTokens } from './index-tokens.js';
import { ResultColumns } from './result-columns.js';

/** Up to this many results, texts are not packed. */
const KEPT_AS_GIVEN = 262_144;

/**
 * Reads an index. Its members may come in any order.
 * @throws SyntaxError if it is not an index
 */
export function readIndex(tokens: IndexTokens): IndexContent {
    const found: { version?: Json; datasets?: FoundDataset[]; results?: FoundResults; texts?: string[] } = {};
    tokens.members((key) => {
        if (key === 'texts') found.texts = readTexts(tokens);
        else if (key === 'datasets') found.datasets = readDatasets(tokens);
        else if (key === 'results') found.results = readResults(tokens);
        else if (key === 'version') check((found.version = tokens.value()) === INDEX_VERSION);
        else tokens.value();
    });
    tokens.finish();
    const { version, datasets, results, texts } = found;
    if (version === undefined || datasets === undefined || results === undefined || texts === undefined)
        throw new SyntaxError('not an index');
    const built = new Map(datasets.map(({ file, columns }) => [file, buildRows(columns, texts)]));
    return { texts, datasets: built, results: buildResults(results, [...built.values()], texts.length) };
}

interface FoundDataset {
    readonly file: string;
    readonly columns: FoundRows;
}

interface FoundRows {
    stamp: Json;
    ids: TextArray | null;
    fingerprints: TextArray | null;
    groups: NumberColumn | null;
    readonly locators: Map<string, ValueColumn>;
}

function readTexts(tokens: IndexTokens): string[] {
    const texts: string[] = [];
    tokens.items(() => texts.push(tokens.string()));
    return texts;
}

function readDatasets(tokens: IndexTokens): FoundDataset[] {
    const datasets: FoundDataset[] = [];
    tokens.items(() => {
        let file = '';
        tokens.items((position) => {
            if (position === 0) file = tokens.string();
            else if (position === 1) datasets.push({ file, columns: readRows(tokens) });
            else tokens.value();
        });
    });
    return datasets;
}

function readRows(tokens: IndexTokens): FoundRows {
    const found: FoundRows = {
        stamp: null,
        ids: null,
        fingerprints: null,
        groups: null,
        locators: new Map(),
    };
    tokens.members((key) => {
        if (key === 'stamp') found.stamp = tokens.value();
        else if (key === 'ids') found.ids = tokens.texts();
        else if (key === 'fingerprints') found.fingerprints = tokens.texts();
        else if (key === 'groups') found.groups = tokens.counts();
        else if (key === 'locators') tokens.members((name) => found.locators.set(name, tokens.values()));
        else tokens.value();
    });
    return found;
}

function buildRows(found: FoundRows, texts: readonly string[]): IndexedDataset {
    const { ids, fingerprints, groups } = found;
    const stamp = found.stamp;
    check(Array.isArray(stamp) && isText(stamp[0]) && isCount(stamp[1]) && isText(stamp[2]));
    if (ids === null || fingerprints === null || groups === null) throw new SyntaxError('no rows');
    const count = ids.length;
    check(fingerprints.length === count && groups.length === count && !found.locators.has('__proto__'));
    const locators: RowColumns['locators'] = new Map();
    for (const [key, column] of found.locators) {
        check(column.length === count || column.length === 1);
        locators.set(key, column.length === count ? column : new ValueColumn(column.at(0), count));
    }
    const groupLists: RowColumns['groupLists'] = [];
    for (let place = 0; place < count; place += 1) {
        const number = groups.at(place);
        if (groupLists[number] !== undefined) continue;
        const list = parseJsonOrNull(texts[number] ?? 'null');
        if (!isGroups(list)) throw new SyntaxError('no groups');
        groupLists[number] = list;
    }
    const rows = new SampleRows({ ids, fingerprints, groups, groupLists, locators });
    const [inode, size, mtime] = stamp as [string, number, string];
    return { stamp: [inode, size, mtime], rows };
}

/** Ids and rows are numbers if the text is that of a dataset row; -1 in the columns means that it is among the other texts. */
interface FoundResults {
    ids: SharedTexts | null;
    rows: SharedTexts | null;
    inodes: ReturnType<IndexTokens['digits']> | null;
    mtimes: ReturnType<IndexTokens['digits']> | null;
    sizes: NumberColumn | null;
    planKeys: NumberColumn | null;
    shapes: NumberColumn | null;
    rest: Json;
}

interface SharedTexts {
    readonly numbers: NumberColumn;
    readonly others: Map<number, string>;
}

function readShared(tokens: IndexTokens): SharedTexts {
    const numbers = new NumberColumn();
    const others = new Map<number, string>();
    tokens.items((place) => {
        if (!tokens.isString) {
            numbers.push(tokens.count());
            return;
        }
        numbers.push(-1);
        others.set(place, tokens.string());
    });
    return { numbers, others };
}

function readResults(tokens: IndexTokens): FoundResults {
    const found: FoundResults = {
        ids: null,
        rows: null,
        inodes: null,
        mtimes: null,
        sizes: null,
        planKeys: null,
        shapes: null,
        rest: null,
    };
    tokens.members((key) => {
        if (key === 'ids' || key === 'rows') found[key] = readShared(tokens);
        else if (key === 'inodes' || key === 'mtimes') found[key] = tokens.digits();
        else if (key === 'sizes' || key === 'planKeys' || key === 'shapes') found[key] = tokens.counts();
        else if (key === 'rest') found.rest = tokens.value();
        else tokens.value();
    });
    return found;
}

function buildResults(
    { ids, rows, inodes, mtimes, sizes, planKeys, shapes, rest }: FoundResults,
    datasets: readonly IndexedDataset[],
    textCount: number,
): ResultColumns {
    if (ids === null || rows === null || inodes === null || mtimes === null)
        throw new SyntaxError('no results');
    if (sizes === null || planKeys === null || shapes === null) throw new SyntaxError('no results');
    const count = ids.numbers.length;
    for (const { length } of [rows.numbers, inodes, mtimes, sizes, planKeys, shapes]) check(length === count);
    const findRow = makeRowFinder(datasets);
    const isSmall = count <= KEPT_AS_GIVEN;
    const texts: string[] | TextArray = isSmall ? [] : new TextArray();
    const fingerprints: string[] | TextArray = isSmall ? [] : new TextArray();
    const rowPlaces = new NumberColumn();
    for (let place = 0; place < count; place += 1) {
        const number = ids.numbers.at(place);
        const shared = number === -1 ? null : findRow(number);
        const id = ids.others.get(place) ?? shared?.rows.columns.ids.at(shared.place);
        const row =
            rows.others.get(place) ??
            (rows.numbers.at(place) === 0 ? shared?.rows.columns.fingerprints.at(shared.place) : undefined);
        if (id === undefined || row === undefined) throw new SyntaxError('a result of no row');
        check(planKeys.at(place) < textCount && shapes.at(place) < textCount);
        texts.push(id);
        fingerprints.push(row);
        rowPlaces.push(place);
    }
    return new ResultColumns({
        ids: texts instanceof TextArray ? texts : new TextArray(texts),
        inodes: inodes.column,
        sizes,
        mtimes: mtimes.column,
        fingerprints: fingerprints instanceof TextArray ? fingerprints : new TextArray(fingerprints),
        rows: rowPlaces,
        planKeys,
        shapes,
        rest: readRest(rest),
    });
}

/** Finds a row by its place over all dataset files. */
function makeRowFinder(
    datasets: readonly IndexedDataset[],
): (number: number) => { readonly rows: SampleRows; readonly place: number } | null {
    const starts: number[] = [];
    let sum = 0;
    for (const { rows } of datasets) {
        starts.push(sum);
        sum += rows.length;
    }
    let at = 0;
    return (number) => {
        if (number >= sum) return null;
        // Results mostly come in the order of the rows.
        if (number < (starts[at] ?? 0)) at = 0;
        while (number >= (starts[at + 1] ?? sum)) at += 1;
        const rows = datasets[at]?.rows;
        return rows === undefined ? null : { rows, place: number - (starts[at] ?? 0) };
    };
}

function readRest(rest: Json): Map<number, JsonObject> {
    const lists = new Map<number, JsonObject>();
    if (!Array.isArray(rest)) throw new SyntaxError('no lists');
    for (const item of rest as readonly Json[]) {
        const [place, list] = Array.isArray(item) ? (item as readonly Json[]) : [];
        if (!isCount(place) || !isJsonObject(list)) throw new SyntaxError('no lists');
        lists.set(place, list);
    }
    return lists;
}

function check(isSo: boolean): void {
    if (!isSo) throw new SyntaxError('not an index');
}

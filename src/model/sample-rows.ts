import { NumberColumn } from '../util/columns/number-column.js';
import { TextArray } from '../util/columns/text-array.js';
import type { GroupSizes } from './directory-sample.js';
import type { Json, JsonObject } from './json.js';
import { ValueColumn } from './value-column.js';

/** One sample as an index of its dataset knows it. */
export interface IndexedRow {
    readonly id: string;
    /** How the dataset finds it again: plain JSON that only its dataset reads. */
    readonly locator: JsonObject;
    /** Groups in order, with the number of their tasks. */
    readonly groups: GroupSizes;
    /** Hash of the raw row (or of the package's file list): if equal, nothing about the sample changed. */
    readonly fingerprint: string;
}

/** Items in an order, by place: an array, or something that creates them on demand. */
export interface Sequence<T> extends Iterable<T> {
    readonly length: number;
    /** Undefined outside 0 to `length` - 1. */
    at(place: number): T | undefined;
}

/** What rows can be rebuilt from; see `SampleRows.parts`. */
export interface RowColumns {
    readonly ids: TextArray;
    readonly fingerprints: TextArray;
    /** Places in `groupLists`. */
    readonly groups: NumberColumn;
    readonly groupLists: GroupSizes[];
    /** By key; null, or no value at a place, means that the row's locator lacks the key. */
    readonly locators: Map<string, ValueColumn>;
}

/**
 * Rows of samples, as columns: a million of them take some 60 MB; as objects they would take a gigabyte. Values that rows share
 * are kept once. Reading a row gives a view, which is cheap to make.
 */
export class SampleRows implements Sequence<PlacedRow> {
    readonly columns: RowColumns;
    readonly #numberOf = new Map<string, number>();
    /** Groups of the previous row: most rows have the same ones. */
    #last = -1;

    /** Columns of the previous locator, in its order: most rows have the same keys. */
    readonly #inOrder: { readonly key: string; readonly column: ValueColumn }[] = [];

    constructor(
        columns: RowColumns = {
            ids: new TextArray(),
            fingerprints: new TextArray(),
            groups: new NumberColumn(),
            groupLists: [],
            locators: new Map(),
        },
    ) {
        this.columns = columns;
    }

    get length(): number {
        return this.columns.ids.length;
    }

    /** @returns a view of the added row */
    push({ id, locator, groups, fingerprint }: IndexedRow): PlacedRow {
        const { columns } = this;
        const place = columns.ids.push(id);
        columns.fingerprints.push(fingerprint);
        if (!isSameList(groups, columns.groupLists[this.#last])) this.#last = this.#numberGroups(groups);
        columns.groups.push(this.#last);
        let position = 0;
        for (const key in locator) {
            let named = this.#inOrder[position];
            if (named?.key !== key) this.#inOrder[position] = named = this.#findColumn(key);
            named.column.pushAt(place, locator[key] ?? null);
            position += 1;
        }
        return new PlacedRow(this, place, id);
    }

    at(place: number): PlacedRow | undefined {
        return place >= 0 && place < this.length ? new PlacedRow(this, place) : undefined;
    }

    *[Symbol.iterator](): Generator<PlacedRow> {
        for (let place = 0; place < this.length; place += 1) yield new PlacedRow(this, place);
    }

    /** Returns the same list for rows with the same groups. */
    groupsAt(place: number): GroupSizes {
        return this.columns.groupLists[this.columns.groups.at(place)] ?? [];
    }

    locatorAt(place: number): JsonObject {
        const locator: Record<string, Json> = {};
        for (const [key, column] of this.columns.locators) {
            const value = column.at(place);
            if (value !== null) locator[key] = value;
        }
        return locator;
    }

    #findColumn(key: string): { readonly key: string; readonly column: ValueColumn } {
        const { locators } = this.columns;
        let column = locators.get(key);
        if (column === undefined) locators.set(key, (column = new ValueColumn()));
        return { key, column };
    }

    #numberGroups(groups: GroupSizes): number {
        const key = JSON.stringify(groups);
        let number = this.#numberOf.get(key);
        if (number === undefined) {
            number = this.columns.groupLists.push(groups) - 1;
            this.#numberOf.set(key, number);
        }
        return number;
    }
}

/** A row of `SampleRows`; its parts are created on demand. */
export class PlacedRow implements IndexedRow {
    #id: string | null;

    constructor(
        readonly rows: SampleRows,
        readonly place: number,
        id: string | null = null,
    ) {
        this.#id = id;
    }

    get id(): string {
        this.#id ??= this.rows.columns.ids.at(this.place);
        return this.#id;
    }

    get fingerprint(): string {
        return this.rows.columns.fingerprints.at(this.place);
    }

    get groups(): GroupSizes {
        return this.rows.groupsAt(this.place);
    }

    get locator(): JsonObject {
        return this.rows.locatorAt(this.place);
    }

    toJSON(): IndexedRow {
        const { id, locator, groups, fingerprint } = this;
        return { id, locator, groups, fingerprint };
    }
}

function isSameList(a: GroupSizes, b: GroupSizes | undefined): boolean {
    if (a === b) return true;
    if (b === undefined || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i += 1) {
        if (!isSameSize(a[i], b[i])) return false;
    }
    return true;
}

const isSameSize = (a: GroupSizes[number] | undefined, b: GroupSizes[number] | undefined): boolean =>
    a?.[0] === b?.[0] && a?.[1] === b?.[1] && a?.[2] === b?.[2];

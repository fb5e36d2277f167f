import type { Dataset } from '../dataset/dataset.js';
import type { GroupSizes } from '../model/directory-sample.js';
import { RowsById } from '../model/rows-by-id.js';
import type { IndexedRow, Sequence } from '../model/sample-rows.js';
import type { SampleItem } from '../run/sample-item.js';
import { NumberColumn } from '../util/columns/number-column.js';

/** Samples of one or several datasets by id: the columns of `RowsById`, and the dataset of each sample. */
export class SampleTable implements Sequence<SampleItem> {
    readonly #rows = new RowsById();
    readonly #datasets: Dataset[] = [];
    readonly #owners = new NumberColumn();

    get length(): number {
        return this.#rows.length;
    }

    /** Position of the sample with this id; -1 if there is none. */
    find(id: string): number {
        return this.#rows.find(id);
    }

    /** Adds a sample. @returns -1, or the position of an existing sample with the same id, in which case nothing was added */
    add(row: IndexedRow, dataset: Dataset): number {
        const there = this.#rows.add(row);
        if (there === -1) this.#owners.push(this.#number(dataset));
        return there;
    }

    /** Adds a sample whose id is known to be new. */
    append(row: IndexedRow, dataset: Dataset): void {
        this.#rows.append(row);
        this.#owners.push(this.#number(dataset));
    }

    /** Replaces a sample with the same one of another dataset. */
    replace(position: number, row: IndexedRow, dataset: Dataset): void {
        this.#owners.set(position, this.#number(dataset));
        this.#rows.replace(position, row);
    }

    at(position: number): SampleItem | undefined {
        return position >= 0 && position < this.length ? this.get(position) : undefined;
    }

    /** Groups of the sample at a position below `length`. */
    groupsAt(position: number): GroupSizes {
        return this.#rows.groupsAt(position);
    }

    /** The sample at a position below `length`. */
    get(position: number): SampleItem {
        const dataset = this.#datasets[this.#owners.at(position)];
        if (dataset === undefined) throw new RangeError(`bug in resume-run: no sample at ${position}`);
        return { indexed: this.#rows.at(position), dataset };
    }

    *[Symbol.iterator](): Generator<SampleItem> {
        for (let position = 0; position < this.length; position += 1) yield this.get(position);
    }

    #number(dataset: Dataset): number {
        const last = this.#datasets.length - 1;
        if (this.#datasets[last] === dataset) return last;
        const known = this.#datasets.indexOf(dataset);
        return known === -1 ? this.#datasets.push(dataset) - 1 : known;
    }
}

/** Some samples of a table, in their own order. */
export class SampleList implements Sequence<SampleItem> {
    readonly #table: SampleTable;
    readonly #positions: NumberColumn;

    constructor(table: SampleTable, positions: Iterable<number>) {
        this.#table = table;
        this.#positions = new NumberColumn();
        for (const position of positions) this.#positions.push(position);
    }

    get length(): number {
        return this.#positions.length;
    }

    at(place: number): SampleItem | undefined {
        return place >= 0 && place < this.length ? this.#table.get(this.#positions.at(place)) : undefined;
    }

    *[Symbol.iterator](): Generator<SampleItem> {
        for (let place = 0; place < this.length; place += 1) yield this.#table.get(this.#positions.at(place));
    }

    /** The ids of the samples; can be iterated repeatedly. */
    ids(): Iterable<string> {
        return listIds(this);
    }

    /** Number of samples by their groups. */
    countGroups(): ReadonlyMap<GroupSizes, number> {
        const counts = new Map<GroupSizes, number>();
        for (let place = 0; place < this.length; place += 1) {
            const groups = this.#table.groupsAt(this.#positions.at(place));
            counts.set(groups, (counts.get(groups) ?? 0) + 1);
        }
        return counts;
    }
}

/** A set of positions in insertion order. */
export class Positions implements Iterable<number> {
    readonly #inOrder = new NumberColumn();
    /** 1 for each position in the set. */
    #present = new Uint8Array(64);

    get size(): number {
        return this.#inOrder.length;
    }

    has(position: number): boolean {
        return this.#present[position] === 1;
    }

    add(position: number): void {
        if (this.has(position)) return;
        if (position >= this.#present.length) {
            const larger = new Uint8Array(Math.max(2 * this.#present.length, position + 1));
            larger.set(this.#present);
            this.#present = larger;
        }
        this.#present[position] = 1;
        this.#inOrder.push(position);
    }

    *[Symbol.iterator](): Generator<number> {
        for (let place = 0; place < this.size; place += 1) yield this.#inOrder.at(place);
    }
}

function listIds(samples: Iterable<SampleItem>): Iterable<string> {
    return {
        *[Symbol.iterator]() {
            for (const { indexed } of samples) yield indexed.id;
        },
    };
}

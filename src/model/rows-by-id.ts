import { NumberColumn } from '../util/columns/number-column.js';
import { TextPlaces } from '../util/columns/text-places.js';
import type { GroupSizes } from './directory-sample.js';
import { PlacedRow, type IndexedRow, SampleRows } from './sample-rows.js';

/** Rows of any number of `SampleRows`, in an order of their own, found by id: eight bytes each, plus a hash table. */
export class RowsById {
    readonly #sources: SampleRows[] = [];
    readonly #numbers = new Map<SampleRows, number>();
    /** For each row: the number of its source, and its place in that source. */
    readonly #source = new NumberColumn();
    readonly #place = new NumberColumn();
    readonly #byId = new TextPlaces({
        isAt: (position, id) => this.#rowsAt(position).columns.ids.isAt(this.#place.at(position), id),
    });
    /** Rows before this position are in `#byId`; later ones were added without a lookup. */
    #indexed = 0;
    /** Rows that did not come as columns. */
    readonly #loose = new SampleRows();

    get length(): number {
        return this.#place.length;
    }

    /** Position of the row with this id; -1 if there is none. */
    find(id: string): number {
        this.#catchUp();
        return this.#byId.find(id);
    }

    /** Adds a row. @returns -1, or the position of an existing row with the same id; nothing is added then */
    add(row: IndexedRow): number {
        this.#catchUp();
        const there = this.#byId.findOrAdd(row.id, this.length);
        if (there !== -1) return there;
        this.append(row);
        this.#indexed += 1;
        return -1;
    }

    /**
     * Adds a row whose id is known to be unique. A million of these are put into the hash table only when one is looked up, if
     * ever.
     */
    append(row: IndexedRow): void {
        const { rows, place } = row instanceof PlacedRow ? row : this.#loose.push(row);
        this.#source.push(this.#numberSource(rows));
        this.#place.push(place);
    }

    #catchUp(): void {
        for (; this.#indexed < this.length; this.#indexed += 1) {
            const position = this.#indexed;
            this.#byId.add(this.#rowsAt(position).columns.ids.at(this.#place.at(position)), position);
        }
    }

    /** Replaces a row by another with the same id. */
    replace(position: number, row: IndexedRow): void {
        const { rows, place } = row instanceof PlacedRow ? row : this.#loose.push(row);
        this.#source.set(position, this.#numberSource(rows));
        this.#place.set(position, place);
    }

    /** The row at a position below `length`. */
    at(position: number): PlacedRow {
        return new PlacedRow(this.#rowsAt(position), this.#place.at(position));
    }

    /** The groups of the row at a position below `length`. */
    groupsAt(position: number): GroupSizes {
        return this.#rowsAt(position).groupsAt(this.#place.at(position));
    }

    #rowsAt(position: number): SampleRows {
        return this.#sources[this.#source.at(position)] ?? this.#loose;
    }

    #numberSource(rows: SampleRows): number {
        let number = this.#numbers.get(rows);
        if (number === undefined) {
            number = this.#sources.push(rows) - 1;
            this.#numbers.set(rows, number);
        }
        return number;
    }
}

import { NumberColumn } from '../util/columns/number-column.js';
import { TextPlaces } from '../util/columns/text-places.js';
import type { GroupSizes } from './directory-sample.js';
import { PlacedRow, type IndexedRow, SampleRows } from './sample-rows.js';

/** Rows of any number of `SampleRows`, in an order of their own, found by their ids: eight bytes for each, and a hash table. */
export class RowsById {
    readonly #sources: SampleRows[] = [];
    readonly #numbers = new Map<SampleRows, number>();
    /** For each row: the number of its source, and its place there. */
    readonly #source = new NumberColumn();
    readonly #place = new NumberColumn();
    readonly #byId = new TextPlaces({
        isAt: (position, id) => this.#rowsAt(position).columns.ids.isAt(this.#place.at(position), id),
    });
    /** Rows before this position are found in `#byId`; those after it were added without looking. */
    #indexed = 0;
    /** Rows that were no columns. */
    readonly #loose = new SampleRows();

    get length(): number {
        return this.#place.length;
    }

    /** Position of the row with this id; -1 if it is not there. */
    find(id: string): number {
        this.#catchUp();
        return this.#byId.find(id);
    }

    /** Adds a row. @returns -1, or the position of the one that has its id: then nothing was added */
    add(row: IndexedRow): number {
        this.#catchUp();
        const there = this.#byId.findOrAdd(row.id, this.length);
        if (there !== -1) return there;
        this.append(row);
        this.#indexed += 1;
        return -1;
    }

    /** Adds a row whose id no other one has. A million of them go into the hash table when somebody looks for one, if ever. */
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

    /** Puts another row with the same id in the place of one. */
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

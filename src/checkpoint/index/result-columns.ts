import type { FileStamp } from '../../model/checkpoint.js';
import type { JsonObject } from '../../model/json.js';
import { DigitsColumn } from '../../util/columns/digits-column.js';
import { NumberColumn } from '../../util/columns/number-column.js';
import { TextArray } from '../../util/columns/text-array.js';
import { TextPlaces } from '../../util/columns/text-places.js';

/** What the index holds for one complete sample, besides its id and its stamp. */
export interface IndexedResult {
    /** Fingerprint of its row in the dataset. */
    readonly row: string;
    /** Numbers of texts: what decides the plan, and the tallies of its groups. */
    readonly planKey: number;
    readonly shape: number;
    /** The tally's lists; null if all are empty. */
    readonly rest: JsonObject | null;
}

/** The columns of results. All are as long as `ids`. */
export interface ResultParts {
    readonly ids: TextArray;
    readonly inodes: DigitsColumn;
    readonly sizes: NumberColumn;
    readonly mtimes: DigitsColumn;
    /** Fingerprints, and which of them is each sample's. */
    readonly fingerprints: TextArray;
    readonly rows: NumberColumn;
    readonly planKeys: NumberColumn;
    readonly shapes: NumberColumn;
    readonly rest: Map<number, JsonObject>;
}

function makeNoParts(): ResultParts {
    return {
        ids: new TextArray(),
        inodes: new DigitsColumn(),
        sizes: new NumberColumn(),
        mtimes: new DigitsColumn(),
        fingerprints: new TextArray(),
        rows: new NumberColumn(),
        planKeys: new NumberColumn(),
        shapes: new NumberColumn(),
        rest: new Map(),
    };
}

/** Complete samples: stamps of their files, fingerprints of their rows, numbers of texts. A hundred bytes a sample. */
export class ResultColumns {
    readonly #parts: ResultParts;
    /** Built when samples are looked up out of order; a start that finds everything finished does without it. */
    #places: TextPlaces | null = null;
    #next = 0;

    constructor(parts: ResultParts = makeNoParts()) {
        this.#parts = parts;
    }

    /** Number of places, including those of forgotten samples. */
    get length(): number {
        return this.#parts.ids.length;
    }

    /** -1 if the sample is not there. */
    find(id: string): number {
        const { ids } = this.#parts;
        const next = this.#next;
        if (this.#places !== null || next >= ids.length || !ids.isAt(next, id))
            return this.#placeAll().find(id);
        this.#next = next + 1;
        return next;
    }

    #placeAll(): TextPlaces {
        if (this.#places !== null) return this.#places;
        const { ids } = this.#parts;
        this.#places = new TextPlaces(ids);
        for (let place = 0; place < ids.length; place += 1) this.#places.findOrAdd(ids.at(place), place);
        return this.#places;
    }

    /** Whether no sample was forgotten. */
    get isWhole(): boolean {
        return this.#places === null || this.#places.size === this.#parts.ids.length;
    }

    /** Whether the sample at a place was not forgotten. */
    isThere(place: number): boolean {
        return this.isWhole || this.#placeAll().find(this.#parts.ids.at(place)) === place;
    }

    set(id: string, stamp: FileStamp, result: IndexedResult): void {
        let place = this.#placeAll().find(id);
        if (place === -1) {
            place = this.#parts.ids.push(id);
            this.#placeAll().add(id, place);
            this.#parts.inodes.push(stamp.inode);
            this.#parts.sizes.push(stamp.size);
            this.#parts.mtimes.push(stamp.mtime);
            this.#parts.rows.push(this.#parts.fingerprints.push(result.row));
            this.#parts.planKeys.push(result.planKey);
            this.#parts.shapes.push(result.shape);
        } else {
            this.setStamp(place, stamp);
            if (!this.hasRow(place, result.row))
                this.#parts.rows.set(place, this.#parts.fingerprints.push(result.row));
            this.#parts.planKeys.set(place, result.planKey);
            this.#parts.shapes.set(place, result.shape);
        }
        if (result.rest === null) this.#parts.rest.delete(place);
        else this.#parts.rest.set(place, result.rest);
    }

    setStamp(place: number, { inode, size, mtime }: FileStamp): void {
        this.#parts.inodes.set(place, inode);
        this.#parts.sizes.set(place, size);
        this.#parts.mtimes.set(place, mtime);
    }

    /** @returns false if it was not there */
    delete(id: string): boolean {
        return this.#placeAll().delete(id);
    }

    idAt(place: number): string {
        return this.#parts.ids.at(place);
    }

    stampAt(place: number): FileStamp {
        return {
            inode: this.#parts.inodes.at(place),
            size: this.#parts.sizes.at(place),
            mtime: this.#parts.mtimes.at(place),
        };
    }

    hasStamp(place: number, { inode, size, mtime }: FileStamp): boolean {
        const { sizes, mtimes, inodes } = this.#parts;
        return sizes.at(place) === size && mtimes.isAt(place, mtime) && inodes.isAt(place, inode);
    }

    hasRow(place: number, row: string): boolean {
        return this.#parts.fingerprints.isAt(this.#parts.rows.at(place), row);
    }

    rowAt(place: number): string {
        return this.#parts.fingerprints.at(this.#parts.rows.at(place));
    }

    planKeyAt(place: number): number {
        return this.#parts.planKeys.at(place);
    }

    shapeAt(place: number): number {
        return this.#parts.shapes.at(place);
    }

    restAt(place: number): JsonObject | null {
        return this.#parts.rest.get(place) ?? null;
    }
}

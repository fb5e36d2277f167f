import type { FileStamp } from '../../model/checkpoint.js';
import type { JsonObject } from '../../model/json.js';
import { DigitsColumn } from '../../util/columns/digits-column.js';
import { NumberColumn } from '../../util/columns/number-column.js';
import { TextArray } from '../../util/columns/text-array.js';
import { TextPlaces } from '../../util/columns/text-places.js';

/** What stands of one complete sample in the index, beside its id and its stamp. */
export interface IndexedResult {
    /** Fingerprint of its row in the dataset. */
    readonly row: string;
    /** Numbers of texts: what decides the plan, and the tallies of its groups. */
    readonly planKey: number;
    readonly shape: number;
    /** The tally's lists; null: none has anything in it. */
    readonly rest: JsonObject | null;
}

/** Complete samples: stamps of their files, fingerprints of their rows, numbers of texts. A hundred bytes a sample. */
export class ResultColumns {
    readonly #ids = new TextArray();
    readonly #places = new TextPlaces(this.#ids);
    readonly #inodes = new DigitsColumn();
    readonly #sizes = new NumberColumn();
    readonly #mtimes = new DigitsColumn();
    /** Fingerprints, and which of them is each sample's. */
    readonly #fingerprints = new TextArray();
    readonly #rows = new NumberColumn();
    readonly #planKeys = new NumberColumn();
    readonly #shapes = new NumberColumn();
    readonly #rest = new Map<number, JsonObject>();

    /** Places, those of forgotten samples among them. */
    get length(): number {
        return this.#ids.length;
    }

    /** -1 if the sample is not there. */
    find(id: string): number {
        return this.#places.find(id);
    }

    /** Whether no sample was forgotten. */
    get isWhole(): boolean {
        return this.#places.size === this.#ids.length;
    }

    /** Whether the sample at a place was not forgotten. */
    isThere(place: number): boolean {
        return this.isWhole || this.#places.find(this.#ids.at(place)) === place;
    }

    set(id: string, stamp: FileStamp, result: IndexedResult): void {
        let place = this.#places.find(id);
        if (place === -1) {
            place = this.#ids.push(id);
            this.#places.add(id, place);
            this.#inodes.push(stamp.inode);
            this.#sizes.push(stamp.size);
            this.#mtimes.push(stamp.mtime);
            this.#rows.push(this.#fingerprints.push(result.row));
            this.#planKeys.push(result.planKey);
            this.#shapes.push(result.shape);
        } else {
            this.setStamp(place, stamp);
            if (this.rowAt(place) !== result.row) this.#rows.set(place, this.#fingerprints.push(result.row));
            this.#planKeys.set(place, result.planKey);
            this.#shapes.set(place, result.shape);
        }
        if (result.rest === null) this.#rest.delete(place);
        else this.#rest.set(place, result.rest);
    }

    setStamp(place: number, { inode, size, mtime }: FileStamp): void {
        this.#inodes.set(place, inode);
        this.#sizes.set(place, size);
        this.#mtimes.set(place, mtime);
    }

    /** @returns false if it was not there */
    delete(id: string): boolean {
        return this.#places.delete(id);
    }

    idAt(place: number): string {
        return this.#ids.at(place);
    }

    stampAt(place: number): FileStamp {
        return {
            inode: this.#inodes.at(place),
            size: this.#sizes.at(place),
            mtime: this.#mtimes.at(place),
        };
    }

    hasStamp(place: number, { inode, size, mtime }: FileStamp): boolean {
        return (
            this.#sizes.at(place) === size &&
            this.#mtimes.at(place) === mtime &&
            this.#inodes.at(place) === inode
        );
    }

    rowAt(place: number): string {
        return this.#fingerprints.at(this.#rows.at(place));
    }

    planKeyAt(place: number): number {
        return this.#planKeys.at(place);
    }

    shapeAt(place: number): number {
        return this.#shapes.at(place);
    }

    restAt(place: number): JsonObject | null {
        return this.#rest.get(place) ?? null;
    }
}

import type { ComputedLimits } from '../model/entry.js';
import type { SampleTally } from '../model/tally.js';
import { NumberColumn } from '../util/columns/number-column.js';
import { TextArray } from '../util/columns/text-array.js';
import { compareNatural } from './format.js';

/** The figures of one sample, without the lists. */
export interface SampleRow {
    readonly id: string;
    readonly isComplete: boolean;
    readonly groups: SampleTally['groups'];
    readonly unexpected: number;
    readonly nearLimit: number;
    /** The time limit computed from accepted submissions, and their slowest run, in seconds; null if the limit is stated. */
    readonly computedLimit: Pick<ComputedLimits, 'time' | 'slowest' | 'load' | 'cut'> | null;
}

type Groups = SampleRow['groups'];

/** Most distinct groups that are deduplicated by their figures; beyond that, each sample keeps its own. */
const MAX_KNOWN = 65_536;

/**
 * The samples of a report, as columns: a million take about 30 MB; as objects they would take half a gigabyte. Rows are created
 * on demand. Sorted and filtered lists are views of the same columns.
 */
export class ReportSamples implements Iterable<SampleRow> {
    readonly #columns: Columns;
    /** Positions in this order; null: all, in the order added. */
    readonly #order: Uint32Array | null;

    private constructor(columns: Columns, order: Uint32Array | null) {
        this.#columns = columns;
        this.#order = order;
    }

    static of(columns: Columns): ReportSamples {
        return new ReportSamples(columns, null);
    }

    get length(): number {
        return this.#order?.length ?? this.#columns.length;
    }

    *[Symbol.iterator](): Generator<SampleRow> {
        for (let at = 0; at < this.length; at += 1) yield this.#columns.at(this.#placeAt(at));
    }

    /** Sorted by id. */
    sortById(): ReportSamples {
        if (this.#isSortedById()) return this;
        // Read them once: reading them at each comparison would take far longer.
        const ids = Array.from({ length: this.length }, (_, at) => this.#columns.idAt(this.#placeAt(at)));
        return this.#sorted((a, b) => compareNatural(ids[a] ?? '', ids[b] ?? ''));
    }

    #isSortedById(): boolean {
        let before: string | null = null;
        for (let at = 0; at < this.length; at += 1) {
            const id = this.#columns.idAt(this.#placeAt(at));
            if (before !== null && compareNatural(before, id) > 0) return false;
            before = id;
        }
        return true;
    }

    /** Sorted by a number, lowest first; equal samples keep their order. */
    sortBy(rank: (sample: SampleRow) => number): ReportSamples {
        const ranks = new Float64Array(this.length);
        let at = 0;
        for (const sample of this) ranks[at++] = rank(sample);
        return this.#sorted((a, b) => (ranks[a] ?? 0) - (ranks[b] ?? 0) || a - b);
    }

    /** @param compare two positions */
    #sorted(compare: (a: number, b: number) => number): ReportSamples {
        const positions = Uint32Array.from({ length: this.length }, (_, at) => at).sort(compare);
        return new ReportSamples(
            this.#columns,
            positions.map((at) => this.#placeAt(at)),
        );
    }

    filter(isWanted: (sample: SampleRow) => boolean): ReportSamples {
        const places = new Uint32Array(this.length);
        let found = 0;
        for (let at = 0; at < this.length; at += 1) {
            const place = this.#placeAt(at);
            if (isWanted(this.#columns.at(place))) places[found++] = place;
        }
        return new ReportSamples(this.#columns, places.slice(0, found));
    }

    #placeAt(at: number): number {
        return this.#order?.[at] ?? at;
    }
}

/** Column storage of the rows. */
export class Columns {
    readonly #ids = new TextArray();
    /** Twice the number in `#groupLists`, plus 1 if the sample is complete. */
    readonly #groups = new NumberColumn();
    readonly #groupLists: Groups[] = [];
    readonly #numbers = new Map<string, number>();
    #last: { readonly groups: Groups; readonly number: number } | null = null;
    readonly #unexpected = new NumberColumn();
    readonly #nearLimit = new NumberColumn();
    readonly #limits = new Map<number, SampleRow['computedLimit']>();

    get length(): number {
        return this.#ids.length;
    }

    push({ id, isComplete, groups, unexpected, nearLimit, computedLimit }: SampleRow): void {
        const place = this.#ids.push(id);
        this.#groups.push(2 * this.#numberGroups(groups) + Number(isComplete));
        this.#unexpected.push(unexpected);
        this.#nearLimit.push(nearLimit);
        if (computedLimit !== null) this.#limits.set(place, computedLimit);
    }

    idAt(place: number): string {
        return this.#ids.at(place);
    }

    at(place: number): SampleRow {
        const groups = this.#groups.at(place);
        return {
            id: this.#ids.at(place),
            isComplete: groups % 2 === 1,
            groups: this.#groupLists[(groups - (groups % 2)) / 2] ?? {},
            unexpected: this.#unexpected.at(place),
            nearLimit: this.#nearLimit.at(place),
            computedLimit: this.#limits.get(place) ?? null,
        };
    }

    /** Most samples share the previous sample's groups object, or have the same figures as another one. */
    #numberGroups(groups: Groups): number {
        if (this.#last?.groups === groups) return this.#last.number;
        const key = JSON.stringify(groups);
        let number = this.#numbers.get(key);
        if (number === undefined) {
            number = this.#groupLists.push(groups) - 1;
            if (this.#numbers.size < MAX_KNOWN) this.#numbers.set(key, number);
        }
        this.#last = { groups, number };
        return number;
    }
}

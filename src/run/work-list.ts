import type { PlanCounts } from '../model/event.js';
import type { Sequence } from '../model/sample-rows.js';
import type { SampleTally } from '../model/tally.js';
import { NumberColumn } from '../util/columns/number-column.js';
import type { SampleItem } from './sample-item.js';

/** A sample that has something left to do (or whose file must be rewritten). */
export interface WorkItem extends SampleItem {
    readonly due: number;
    readonly dueBy: PlanCounts['dueBy'];
    /** Tally of its current file, used in the totals if the run stops before it reaches the sample. Null if there is no file. */
    readonly tally: SampleTally | null;
}

/** The samples of a run that have work, in order. Takes a few bytes per sample, plus the tallies of those that have a file. */
export class WorkList implements Sequence<WorkItem> {
    readonly #samples: Sequence<SampleItem>;
    readonly #places = new NumberColumn();
    readonly #due = new NumberColumn();
    /** Numbers of reasons in `#reasons`. */
    readonly #dueBy = new NumberColumn();
    readonly #reasons: PlanCounts['dueBy'][] = [];
    readonly #reasonNumbers = new Map<string, number>();
    readonly #tallies = new Map<number, SampleTally>();

    /** @param samples all samples of the run */
    constructor(samples: Sequence<SampleItem>) {
        this.#samples = samples;
    }

    get length(): number {
        return this.#places.length;
    }

    /** @param place position of the sample among those of the run */
    add(place: number, { due, dueBy, tally }: Pick<WorkItem, 'due' | 'dueBy' | 'tally'>): void {
        if (tally !== null) this.#tallies.set(this.length, tally);
        this.#places.push(place);
        this.#due.push(due);
        this.#dueBy.push(this.#numberReasons(dueBy));
    }

    /** Tallies of the samples that have a file. */
    tallies(): Iterable<SampleTally> {
        return this.#tallies.values();
    }

    at(position: number): WorkItem | undefined {
        const sample = position < this.length ? this.#samples.at(this.#places.at(position)) : undefined;
        if (sample === undefined) return undefined;
        return {
            indexed: sample.indexed,
            dataset: sample.dataset,
            due: this.#due.at(position),
            dueBy: this.#reasons[this.#dueBy.at(position)] ?? {},
            tally: this.#tallies.get(position) ?? null,
        };
    }

    *[Symbol.iterator](): Generator<WorkItem> {
        for (let position = 0; position < this.length; position += 1) {
            const item = this.at(position);
            if (item !== undefined) yield item;
        }
    }

    #numberReasons(dueBy: PlanCounts['dueBy']): number {
        const last = this.#reasons.length - 1;
        if (this.#reasons[last] === dueBy) return last;
        const key = JSON.stringify(dueBy);
        let number = this.#reasonNumbers.get(key);
        if (number === undefined) {
            number = this.#reasons.push(dueBy) - 1;
            this.#reasonNumbers.set(key, number);
        }
        return number;
    }
}

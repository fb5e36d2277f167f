import type { RemovedSamples } from '../model/directory-sample.js';
import { LIST_BOUND } from '../model/tally-sum.js';
import { escapeLine } from '../util/printable.js';
import { compareNatural, count, formatCount } from './format.js';
import type { Page } from './page.js';

/** Collects the samples that were removed from the datasets. */
export class RemovedList {
    #count = 0;
    readonly #samples: string[] = [];

    add(id: string): void {
        this.#count += 1;
        if (this.#samples.length < LIST_BOUND) this.#samples.push(id);
    }

    value(): RemovedSamples {
        return { count: this.#count, samples: this.#samples.toSorted(compareNatural) };
    }
}

/** The list as lines; empty if nothing was removed. */
export function renderRemoved(removed: RemovedSamples, { style }: Page, most: number): string[] {
    if (removed.count === 0) return [];
    const shown = removed.samples.slice(0, most);
    const rest = removed.count - shown.length;
    return [
        style.bold(`No longer in the dataset, and not counted: ${formatCount(removed.count, 'sample')}`),
        ...shown.map((id) => `  ${escapeLine(id)}`),
        ...(rest > 0 ? [`  …and ${count(rest)} more`] : []),
    ];
}

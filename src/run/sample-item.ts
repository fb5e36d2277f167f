import type { Dataset, IndexedSample } from '../dataset/dataset.js';

/** A sample of this run, and the dataset that loads it. */
export interface SampleItem {
    readonly indexed: IndexedSample;
    readonly dataset: Dataset;
}

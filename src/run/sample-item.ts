import type { Dataset, IndexedSample } from '../dataset/dataset.js';

/** A sample of the run's part, and the dataset that loads it. */
export interface SampleItem {
    readonly indexed: IndexedSample;
    readonly dataset: Dataset;
}

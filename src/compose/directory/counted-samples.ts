import { readRunFile } from '../../checkpoint/run-directory/run-file.js';
import { formatCount } from '../../report/format.js';
import { asTyped } from '../output.js';
import type { DirectoryIndexes } from './directory-indexes.js';
import { type KnownSamples, KnownSamplesReader } from './known-samples.js';
import type { RunPaths } from './run-paths.js';

/** The samples of a directory that count in rates: those that its datasets still have, or all if the datasets cannot be read. */
export class CountedSamples {
    readonly #known: KnownSamples | null;
    readonly #place: RunPaths;
    readonly #onNotice: (message: string) => void;
    readonly #removed = new Set<string>();

    private constructor(known: KnownSamples | null, place: RunPaths, onNotice: (message: string) => void) {
        this.#known = known;
        this.#place = place;
        this.#onNotice = onNotice;
    }

    /** @throws UserError (exit 2) if run.json cannot be read */
    static async read(
        place: RunPaths,
        indexes: DirectoryIndexes,
        onNotice: (message: string) => void,
    ): Promise<CountedSamples> {
        const reader = new KnownSamplesReader(indexes, onNotice);
        const known = await reader.read(await readRunFile(place.checkpoints));
        return new CountedSamples(known, place, onNotice);
    }

    /** Whether a sample counts; samples that do not are remembered. */
    has(sample: string): boolean {
        if (this.#known?.has(sample) !== false) return true;
        this.#removed.add(sample);
        return false;
    }

    /** Prints a notice with the number of samples that do not count. */
    tellRemoved(): void {
        if (this.#removed.size === 0) return;
        const count = formatCount(this.#removed.size, 'sample');
        this.#onNotice(`${asTyped(this.#place.dir)}: ${count} left out that the dataset no longer has`);
    }
}

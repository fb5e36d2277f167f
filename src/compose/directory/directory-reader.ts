import { type RunFile, readRunFile } from '../../checkpoint/run-directory/run-file.js';
import { makeIdMatcher } from '../../dataset/filter.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import type { DirectorySample } from '../../model/directory-sample.js';
import { UserError } from '../../util/user-error.js';
import { type KnownSamples, KnownSamplesReader } from './known-samples.js';
import type { RunPaths } from './run-paths.js';
import { type PickedSample, ResultFiles } from './result-files.js';

/** Samples whose id matches one of the globs; all of them where there is none. @throws UserError for a glob that cannot be used */
export async function* keepMatching(
    samples: AsyncIterable<DirectorySample>,
    only: readonly string[],
): AsyncGenerator<DirectorySample> {
    const matches = makeIdMatcher(only);
    for await (const sample of samples) if (matches(sample.tally.id)) yield sample;
}

/** Reads a results directory without its lock, again and again: what status, report and a dry run count. */
export class DirectoryReader<T = null> {
    readonly #place: RunPaths;
    readonly #files: ResultFiles<T>;
    readonly #samples: KnownSamplesReader;
    readonly #onNotice: (message: string) => void;
    #isRunFileBad = false;

    /**
     * @param onNotice told once of each file that cannot be used
     * @param pick what is kept of each file besides its figures
     */
    constructor(place: RunPaths, onNotice: (message: string) => void, pick?: (checkpoint: Checkpoint) => T) {
        this.#place = place;
        this.#onNotice = onNotice;
        this.#files = new ResultFiles(place, onNotice, pick);
        this.#samples = new KnownSamplesReader(place.checkpoints, onNotice);
    }

    /** What run.json says, and which samples its datasets hold now; null where that cannot be read. */
    async readRun(): Promise<{ readonly run: RunFile | null; readonly known: KnownSamples | null }> {
        const run = await this.#readRunFile();
        return { run, known: await this.#samples.read(run) };
    }

    /** @throws UserError (exit 2) if the directory cannot be read */
    read(since: number, known: KnownSamples | null): AsyncGenerator<PickedSample<T>> {
        return this.#files.read(since, known);
    }

    async #readRunFile(): Promise<RunFile | null> {
        try {
            return await readRunFile(this.#place.checkpoints);
        } catch (error) {
            if (!(error instanceof UserError)) throw error;
            if (!this.#isRunFileBad) this.#onNotice(error.message);
            this.#isRunFileBad = true;
            return null;
        }
    }
}

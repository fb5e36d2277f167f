import { type RunFile, readRunFile } from '../../checkpoint/run-directory/run-file.js';
import { makeIdMatcher } from '../../dataset/filter.js';
import type { DirectorySample } from '../../model/directory-sample.js';
import { UserError } from '../../util/user-error.js';
import { DirectoryIndexes } from './directory-indexes.js';
import { type KnownSamples, KnownSamplesReader } from './known-samples.js';
import type { RunPaths } from './run-paths.js';
import { type PickedSample, ResultFiles, type ResultFilesOptions } from './result-files.js';

/** Samples whose id matches one of the globs; all if there is none. @throws UserError for an invalid glob */
export async function* keepMatching(
    samples: AsyncIterable<DirectorySample>,
    only: readonly string[],
): AsyncGenerator<DirectorySample> {
    const matches = makeIdMatcher(only);
    for await (const sample of samples) if (matches(sample.tally.id)) yield sample;
}

/** Reads a results directory without its lock, once or repeatedly: what status, report and a dry run count. */
export class DirectoryReader<T = null> {
    readonly #place: RunPaths;
    readonly #files: ResultFiles<T>;
    readonly #indexes: DirectoryIndexes;
    readonly #samples: KnownSamplesReader;
    readonly #onNotice: (message: string) => void;
    #isRunFileBad = false;
    /** Whether the first read is done; from then on `ResultFiles` knows the files. */
    #hasRead = false;

    constructor(place: RunPaths, options: ResultFilesOptions<T>) {
        this.#place = place;
        this.#onNotice = options.onNotice;
        this.#indexes = new DirectoryIndexes(place);
        this.#files = new ResultFiles(place, options);
        this.#samples = new KnownSamplesReader(this.#indexes, options.onNotice);
    }

    /** The content of run.json, and the samples that its datasets have now; null for what cannot be read. */
    async readRun(): Promise<{ readonly run: RunFile | null; readonly known: KnownSamples | null }> {
        const run = await this.#readRunFile();
        return { run, known: await this.#samples.read(run) };
    }

    /** @throws UserError (exit 2) if the directory cannot be read */
    read(since: number, known: KnownSamples | null): AsyncGenerator<PickedSample<T>> {
        const files = this.#hasRead ? null : this.#indexes.loadFiles();
        this.#hasRead = true;
        this.#indexes.forget();
        return this.#files.read(since, known, files);
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

import type { RunFile } from '../../checkpoint/run-directory/run-file.js';
import { parseChecker } from '../../model/checker-text.js';
import { fingerprintSample } from '../../model/fingerprint.js';
import type { Sample } from '../../model/sample.js';
import { withChecker } from '../../run/prepare.js';
import { withRowFiles } from '../row-files.js';
import { SamplesById } from '../samples.js';
import { chooseListOptions, hasSampleTests } from './known-samples.js';

/** Reads a sample of the datasets; null if none of them has it. */
export type LoadSample = (id: string) => Promise<Sample | null>;

/** Opens the datasets that run.json names, one after the other as needed, until `use` has ended. */
export function withDatasetsOf<T>(run: RunFile, use: (load: LoadSample) => Promise<T>): Promise<T> {
    return withRowFiles((files) => {
        const samples = new SamplesById();
        const cache = { get: () => null, set: () => undefined };
        const unopened = [...run.datasets];
        return use(async (id) => {
            while (samples.get(id) === undefined) {
                const next = unopened.shift();
                if (next === undefined) return null;
                const options = {
                    cache,
                    files,
                    lists: chooseListOptions(run),
                    sampleTests: hasSampleTests(run),
                };
                await samples.addPath(next.path, next.format, options);
            }
            const found = samples.get(id);
            return found === undefined ? null : await found.dataset.load(found.indexed);
        });
    });
}

/**
 * Whether a task is the one that an entry was judged for. The row may have been edited since: only with the same fingerprint does
 * the task have the same tests.
 */
export function isSameTask(
    run: RunFile,
    sample: Sample,
    { group, index }: { readonly group: string; readonly index: number },
    fingerprint: string,
): boolean {
    return listFingerprints(run, sample).some((known) => known[group]?.[index] === fingerprint);
}

/** Fingerprints of a sample's tasks by group and index: one list for each of the two comparisons that a run may have used. */
export function listFingerprints(
    { options }: RunFile,
    sample: Sample,
): readonly ReturnType<typeof fingerprintSample>[] {
    const text = options['checker'];
    const checker = typeof text === 'string' ? parseChecker(text) : null;
    return (['format', 'tokens'] as const).map((defaultComparison) =>
        fingerprintSample(withChecker(sample, { checker, defaultComparison }), ''),
    );
}

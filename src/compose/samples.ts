import type { RunConfig } from '../config.js';
import type { Dataset, DatasetCache } from '../dataset/dataset.js';
import { chooseSamples } from '../dataset/filter.js';
import { openDatasets } from '../dataset/open.js';
import type { SampleItem } from '../run/survey.js';
import { UserError } from '../util/user-error.js';

/** Every sample of the datasets, and the part that was asked for. */
export interface Samples {
    readonly datasets: readonly Dataset[];
    readonly whole: readonly SampleItem[];
    readonly part: readonly SampleItem[];
}

/**
 * Indexes all datasets. The same sample in two of them counts once.
 * @throws UserError for a bad dataset, an id with different content in two of them, or no sample at all
 */
export async function collectSamples(
    config: Pick<RunConfig, 'format' | 'skipBadRows' | 'part'>,
    paths: readonly string[],
    cache: DatasetCache,
): Promise<Samples> {
    const { format, skipBadRows, part } = config;
    const datasets = await openDatasets(paths, { format, skipBadRows, cache });
    const byId = new Map<string, SampleItem>();
    for (const dataset of datasets) {
        for await (const indexed of dataset.index()) {
            const other = byId.get(indexed.id);
            if (other === undefined) {
                byId.set(indexed.id, { indexed, dataset });
            } else if (other.indexed.fingerprint !== indexed.fingerprint) {
                throw new UserError(
                    `${JSON.stringify(indexed.id)} stands in ${other.dataset.path} and in ${dataset.path} with different content: ` +
                        'give them separate --dir, or rename one',
                );
            }
        }
    }
    if (byId.size === 0) throw new UserError(`no sample in ${paths.join(', ')}`);
    const whole = [...byId.values()];
    const chosen = Array.from(chooseSamples(withIds(whole), part), ({ item }) => item);
    if (chosen.length === 0) throw new UserError('--only, --limit and --shard leave no sample');
    return { datasets, whole, part: chosen };
}

function* withIds(items: readonly SampleItem[]): Iterable<{ id: string; item: SampleItem }> {
    for (const item of items) yield { id: item.indexed.id, item };
}

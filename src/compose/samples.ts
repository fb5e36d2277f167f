import type { RunConfig } from '../config.js';
import type { Dataset, OpenOptions } from '../dataset/dataset.js';
import { chooseSamples } from '../dataset/filter.js';
import { openDatasets } from '../dataset/open.js';
import type { SampleItem } from '../run/survey.js';
import { messageOf } from '../util/message.js';
import { UserError } from '../util/user-error.js';

/** Every sample of the directory's datasets, and the part that was asked for. */
export interface Samples {
    /** Those that were asked for. */
    readonly datasets: readonly Dataset[];
    readonly whole: readonly SampleItem[];
    readonly part: readonly SampleItem[];
}

/** A dataset that was run into the directory before and is not asked for now. */
export interface OtherDataset {
    readonly path: string;
    readonly format: RunConfig['format'];
}

/**
 * Indexes all datasets. The same sample in two of them counts once.
 * @param others are looked into for ids and totals only; one that cannot be read is left out with a notice
 * @throws UserError for a bad dataset, an id with different content in two of them, or no sample at all
 */
export async function collectSamples(
    config: Pick<RunConfig, 'format' | 'skipBadRows' | 'part'>,
    paths: readonly string[],
    { cache, lists, files }: Pick<OpenOptions, 'cache' | 'lists' | 'files'>,
    others: readonly OtherDataset[],
    onNotice: (message: string) => void,
): Promise<Samples> {
    const { format, skipBadRows, part } = config;
    const datasets = await openDatasets(paths, { format, skipBadRows, cache, lists, files });
    const found = new SamplesById();
    for (const dataset of datasets) await found.addAll(dataset);
    const asked = found.all;
    if (asked.length === 0) throw new UserError(`no sample in ${paths.join(', ')}`);
    const chosen = isAll(part) ? asked : [...chooseSamples(asked, idOf, part)];
    if (chosen.length === 0) refuseNone(asked, part, onNotice);
    for (const { path, format: known } of others) {
        try {
            await found.addPath(path, known, { cache, lists, files });
        } catch (error) {
            if (error instanceof IdConflict) throw error;
            onNotice(`not counted, though run into this directory before: ${messageOf(error)}`);
        }
    }
    return { datasets, whole: found.all, part: chosen };
}

/** One id with different content in two datasets: whichever is asked for, results would replace each other. */
class IdConflict extends UserError {}

/** The samples of a directory's datasets; the same sample in two of them counts once. */
export class SamplesById {
    readonly #items = new Map<string, SampleItem>();

    get all(): SampleItem[] {
        return [...this.#items.values()];
    }

    /**
     * Adds what a dataset of an earlier start holds, for its ids and totals. Bad rows are left out.
     * @throws UserError if it cannot be read, or holds an id that is there already with different content
     */
    async addPath(
        path: string,
        format: string | null,
        { cache, lists, files }: Pick<OpenOptions, 'cache' | 'lists' | 'files'>,
    ): Promise<void> {
        const asked = { format, skipBadRows: true, cache, files, lists: { ...lists, accepted: true } };
        const opened = await openDatasets([path], asked);
        for (const dataset of opened) await this.addAll(dataset);
    }

    async addAll(dataset: Dataset): Promise<void> {
        for await (const several of dataset.index()) {
            for (const indexed of several) this.#add({ indexed, dataset });
        }
    }

    #add(item: SampleItem): void {
        const { id, fingerprint } = item.indexed;
        const other = this.#items.get(id);
        if (other === undefined) {
            this.#items.set(id, item);
        } else if (other.indexed.fingerprint !== fingerprint) {
            throw new IdConflict(
                `${JSON.stringify(id)} stands in ${other.dataset.path} and in ${item.dataset.path} with different content: ` +
                    'give them separate --dir, rename the id, or remove the file whose place the other takes',
            );
        }
    }
}

/** A shard may be empty: of many small parts some are, and an array of jobs is not to fail for it. Anything else is a mistake. */
function refuseNone(
    all: readonly SampleItem[],
    part: RunConfig['part'],
    onNotice: (message: string) => void,
): void {
    const { only, limit, shard } = part;
    const whole = chooseSamples(all, idOf, { ...part, shard: null });
    if (shard !== null && whole[Symbol.iterator]().next().done !== true) {
        onNotice(`shard ${shard.index}/${shard.count} holds no sample`);
        return;
    }
    const given = [
        ...(only.length > 0 ? [`--only ${only.join(' ')}`] : []),
        ...(limit === null ? [] : [`--limit ${limit}`]),
    ];
    throw new UserError(`${given.join(' with ')} leaves no sample`);
}

const idOf = (item: SampleItem): string => item.indexed.id;

const isAll = ({ only, ids = null, limit, shard }: RunConfig['part']): boolean =>
    ids === null && only.length === 0 && limit === null && shard === null;

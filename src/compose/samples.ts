import type { RunConfig } from '../config.js';
import type { Dataset, IndexedSample, OpenOptions } from '../dataset/dataset.js';
import { chooseSamples } from '../dataset/filter.js';
import { openDatasets } from '../dataset/open.js';
import type { SampleItem } from '../run/sample-item.js';
import { getMessage } from '../util/message.js';
import { UserError } from '../util/user-error.js';
import { Positions, SampleList, SampleTable } from './sample-list.js';

/** Every sample of the directory's datasets, and the part that was selected. */
export interface Samples {
    /** The selected datasets. */
    readonly datasets: readonly Dataset[];
    readonly whole: SampleList;
    readonly part: SampleList;
    /** Whether the datasets have a sample. */
    readonly has: (id: string) => boolean;
    /** Files that are not datasets or cannot be read: one line each. */
    readonly leftOut: readonly string[];
}

/** A dataset that an earlier start ran into the directory and this one does not name. */
export interface OtherDataset {
    readonly path: string;
    readonly format: RunConfig['format'];
}

/** Where the samples of a directory come from. */
export interface SampleSources {
    /** Datasets of this start. */
    readonly paths: readonly string[];
    /**
     * Datasets that only earlier starts named: read only for ids and totals; one that cannot be read is left out with a notice.
     */
    readonly others: readonly OtherDataset[];
    /** Datasets of earlier starts, in the order in which they were added; their ids stay unchanged. */
    readonly recorded: readonly string[];
}

/**
 * Indexes all datasets. The same sample in two of them counts once; packages at the same place in two trees get different ids.
 * @throws UserError for an invalid dataset, for a row's id with different content in two datasets, or if there is no sample at
 * all
 */
export async function collectSamples(
    config: Pick<RunConfig, 'format' | 'skipBadRows' | 'sampleTests' | 'part'>,
    { paths, others, recorded }: SampleSources,
    opening: Pick<OpenOptions, 'cache' | 'lists' | 'files' | 'testMaker'>,
    onNotice: (message: string) => void,
): Promise<Samples> {
    const { format, skipBadRows, sampleTests, part } = config;
    const leftOut: string[] = [];
    const options = {
        format,
        skipBadRows,
        sampleTests,
        ...opening,
        onLeftOut: (line: string) => leftOut.push(line),
    };
    const found = new SamplesById();
    const datasets: Dataset[] = [];
    const asked = new Positions();
    for (const path of new Set([...recorded, ...paths])) {
        const other = others.find((one) => one.path === path);
        if (other !== undefined) {
            await found.addPath(path, other.format, { ...opening, sampleTests }).catch((error: unknown) => {
                if (error instanceof IdConflict) throw error;
                onNotice(`a dataset of an earlier start is not counted: ${getMessage(error)}`);
            });
            continue;
        }
        if (!paths.includes(path)) continue;
        for (const dataset of await openDatasets([path], options)) {
            datasets.push(dataset);
            await found.addAll(dataset, (position) => asked.add(position));
        }
    }
    if (asked.size === 0) throw new UserError(`no sample in ${paths.join(', ')}`);
    const { table } = found;
    const getId = (position: number): string => table.get(position).indexed.id;
    const chosen = new SampleList(table, isAll(part) ? asked : chooseSamples(asked, getId, part));
    if (chosen.length === 0)
        refuseNone(chooseSamples(asked, getId, { ...part, shard: null }), part, onNotice);
    const whole = new SampleList(table, withOthers(asked, table.length));
    return { datasets, whole, part: chosen, has: (id) => table.find(id) !== -1, leftOut };
}

/** The selected positions, followed by all others. */
function* withOthers(asked: Positions, length: number): Generator<number> {
    yield* asked;
    for (let position = 0; position < length; position += 1) if (!asked.has(position)) yield position;
}

/** One id with different content in two datasets: whichever one runs, its results would replace those of the other. */
class IdConflict extends UserError {}

/** The samples of a directory's datasets; the same sample in two of them counts once. */
export class SamplesById {
    readonly table = new SampleTable();

    get(id: string): SampleItem | undefined {
        return this.table.at(this.table.find(id));
    }

    /**
     * Adds the samples of an earlier start's dataset, for their ids and totals. Invalid rows are left out.
     * @throws UserError if it cannot be read, or has an existing id with different content
     */
    async addPath(
        path: string,
        format: string | null,
        {
            cache,
            lists,
            files,
            sampleTests = false,
        }: Pick<OpenOptions, 'cache' | 'lists' | 'files' | 'sampleTests'>,
    ): Promise<void> {
        const asked = {
            format,
            skipBadRows: true,
            sampleTests,
            cache,
            files,
            lists: { ...lists, accepted: true },
        };
        const opened = await openDatasets([path], { ...asked, onLeftOut: () => undefined });
        for (const dataset of opened) await this.addAll(dataset);
    }

    /**
     * @param onAdded called with the position of each sample in the table, where samples have the ids that they have in the
     * directory
     */
    async addAll(dataset: Dataset, onAdded: (position: number) => void = () => undefined): Promise<void> {
        const isDistinct = this.table.length === 0 && dataset.hasDistinctIds === true;
        for await (const several of dataset.index()) {
            for (const indexed of several)
                onAdded(isDistinct ? this.#append(indexed, dataset) : this.#add(indexed, dataset));
        }
    }

    /** @returns its position in the table */
    #append(row: IndexedSample, dataset: Dataset): number {
        this.table.append(row, dataset);
        return this.table.length - 1;
    }

    /** @returns its position in the table */
    #add(row: IndexedSample, dataset: Dataset): number {
        const { table } = this;
        const last = table.length;
        const position = table.add(row, dataset);
        if (position === -1) return last;
        const { locator, groups, fingerprint } = row;
        for (const id of [row.id, ...makeIdsApart(row.id, dataset.idPrefix)]) {
            const placed = id === row.id ? row : { id, locator, groups, fingerprint };
            const there = table.find(id);
            const other = table.at(there);
            if (other === undefined) {
                table.add(placed, dataset);
                return last;
            }
            if (other.indexed.fingerprint !== fingerprint) continue;
            table.replace(there, placed, dataset);
            return there;
        }
        const other = table.at(position);
        const there = other === undefined ? 'an earlier one' : placeOf(other.indexed, other.dataset);
        throw new IdConflict(
            `${JSON.stringify(row.id)} is in ${placeOf(row, dataset)} and in ${there} with different content: ` +
                'use separate --dir, rename one of the ids, or remove the file that the other replaces',
        );
    }
}

const placeOf = (row: IndexedSample, dataset: Dataset): string => dataset.placeOf?.(row) ?? dataset.path;

/** Alternative ids for a sample whose own id is taken: prefixed with more and more of the path of its tree. */
function* makeIdsApart(id: string, prefix: string | undefined): Generator<string> {
    const parts = prefix?.split('/').filter((part) => part !== '') ?? [];
    for (let taken = 1; taken <= parts.length; taken += 1) yield [...parts.slice(-taken), id].join('/');
}

/**
 * Refuses an empty selection, which is a mistake unless it is a shard: with many small parts some are empty, and an array of jobs
 * must not fail because of them.
 */
function refuseNone(
    whole: Iterable<unknown>,
    part: RunConfig['part'],
    onNotice: (message: string) => void,
): void {
    const { only, limit, shard } = part;
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

const isAll = ({ only, ids = null, limit, shard }: RunConfig['part']): boolean =>
    ids === null && only.length === 0 && limit === null && shard === null;

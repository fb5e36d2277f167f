import { setImmediate } from 'node:timers/promises';
import { listFileKinds } from '../../host/listing.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import { sumSuccess, type SampleGroup } from '../../model/success-counts.js';
import type { SampleTally } from '../../model/tally.js';
import { CheckpointReader, tellOther } from './checkpoint-reader.js';
import { CountedSamples } from './counted-samples.js';
import { DirectoryIndexes } from './directory-indexes.js';
import type { RunPaths } from './run-paths.js';

/** Files between two turns of the event loop, which let signals and the display through. */
const FILES_BETWEEN_TURNS = 4096;

/** Some of a directory's tasks, in the form that rates need. */
export type RatedTasks =
    | { readonly kind: 'groups'; readonly groups: readonly SampleGroup[] }
    | { readonly kind: 'checkpoint'; readonly checkpoint: Checkpoint };

/**
 * Yields all tasks of a results directory that count, that is, of samples that its datasets still have. Files of complete samples
 * are not read if a start vouches for them; they come as the groups of their samples.
 * @throws UserError (exit 2) if the directory or one of its files cannot be read
 */
export async function* readRatedTasks(
    place: RunPaths,
    onNotice: (message: string) => void,
): AsyncGenerator<RatedTasks> {
    const indexes = new DirectoryIndexes(place);
    const counted = await CountedSamples.read(place, indexes, onNotice);
    const files = await indexes.loadFiles();
    const listing = await listFileKinds(place.dir);
    const reader = new CheckpointReader(place, tellOther(onNotice));
    const counts = new GroupCounts();
    const names: string[] = [];
    let groups: SampleGroup[] = [];
    for (const [at, name] of listing.names.entries()) {
        const known = listing.others.has(name) ? null : files.find(name);
        if (known === null) names.push(name);
        else if (!reader.current.has(known.tally.id)) {
            reader.current.add(known.tally.id);
            if (counted.has(known.tally.id)) counts.add(known.tally, groups);
        }
        if ((at + 1) % FILES_BETWEEN_TURNS !== 0) continue;
        yield { kind: 'groups', groups };
        groups = [];
        await setImmediate();
    }
    yield { kind: 'groups', groups };
    for await (const checkpoints of reader.read({ ...listing, names }, false))
        for (const checkpoint of checkpoints)
            if (counted.has(checkpoint.id)) yield { kind: 'checkpoint', checkpoint };
    counted.tellRemoved();
}

/** Most samples share the same groups object, which is counted only once. */
class GroupCounts {
    readonly #known = new Map<SampleTally['groups'], readonly Omit<SampleGroup, 'sample'>[]>();

    add({ id: sample, groups }: SampleTally, all: SampleGroup[]): void {
        let counted = this.#known.get(groups);
        if (counted === undefined) {
            counted = Object.entries(groups).flatMap(([group, { completed, verdicts, success }]) =>
                completed === 0 ? [] : [{ group, counts: success ?? sumSuccess(group, verdicts) }],
            );
            this.#known.set(groups, counted);
        }
        for (const { group, counts } of counted) all.push({ sample, group, counts });
    }
}

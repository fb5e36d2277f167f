import type { ComputedLimits } from './entry.js';
import { type GroupTally, type SampleTally, tallySample } from './tally.js';

/**
 * How a sample of a results directory relates to the datasets: its file exists, it has none yet, or the datasets no longer hold
 * it. Removed samples count in no rate and no total.
 */
export type SampleStanding = 'begun' | 'not begun' | 'removed';

/** What a sample's result file says. */
export interface SampleFigures {
    readonly tally: SampleTally;
    readonly computedLimits: ComputedLimits | null;
}

/** One sample of a results directory: what status, report and a dry run count. */
export interface DirectorySample extends SampleFigures {
    readonly standing: SampleStanding;
    /** When its file was written, milliseconds since the epoch; null for archived ones and if there is no file. */
    readonly writtenAt: number | null;
    /** When its tasks ended, milliseconds since the epoch; only those that ended after a time asked for. */
    readonly ends: readonly number[];
}

/** Samples with a result file that the datasets no longer hold. The list holds at most `LIST_BOUND`. */
export interface RemovedSamples {
    readonly count: number;
    readonly samples: readonly string[];
}

/**
 * Groups of a sample in the dataset's order, with the number of their tasks. `skipped`: further tasks that the dataset already
 * knows to be skipped unless they have a result.
 */
export type GroupSizes = readonly (readonly [name: string, tasks: number, skipped?: number])[];

/** The figures of a sample that has no result file. */
export function tallyUntouched(id: string, groups: GroupSizes): SampleTally {
    const nothing = { entries: [], skipped: [], failed: [], pending: 0 };
    return tallySample(
        id,
        groups.map(([name, total]) => ({ name, total, ...nothing })),
    );
}

/** The figures of a result file with the totals of the dataset: the file may be older than the dataset's last edit. */
export function withDatasetTotals(tally: SampleTally, groups: GroupSizes): SampleTally {
    const adjusted = Object.create(null) as Record<string, GroupTally>;
    let isComplete = true;
    let isSame = groups.length === Object.keys(tally.groups).length;
    for (const [name, tasks, skipped = 0] of groups) {
        const group = Object.hasOwn(tally.groups, name) ? tally.groups[name] : undefined;
        const total = group === undefined ? tasks : Math.max(0, tasks + skipped - group.skipped);
        if (group?.total !== total) isSame = false;
        if (group?.completed !== total) isComplete = false;
        adjusted[name] =
            group === undefined
                ? { total, completed: 0, verdicts: {}, skipped: 0, failed: 0, pending: 0 }
                : { ...group, total };
    }
    return isSame ? tally : { ...tally, groups: adjusted, isComplete: tally.isComplete && isComplete };
}

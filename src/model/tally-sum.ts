import {
    addScores,
    type GroupTally,
    type SampleTally,
    type ScoredInPart,
    type ScoreSum,
    type Unexpected,
    type FailedTask,
    type TaskRef,
} from './tally.js';
import { isVerdict, type Verdict } from './verdict.js';

/** Sums over samples. Lists are bounded (`LIST_BOUND`); the counts beside them are not. */
export interface TotalTally {
    readonly samples: number;
    readonly completeSamples: number;
    readonly groups: SampleTally['groups'];
    readonly unexpectedCount: number;
    readonly unexpected: SampleTally['unexpected'];
    readonly inPartCount: number;
    readonly inPart: SampleTally['inPart'];
    readonly nearLimitCount: number;
    readonly nearLimit: SampleTally['nearLimit'];
    readonly aboveOwnCount: number;
    readonly aboveOwn: SampleTally['aboveOwn'];
    /** The groups hold their number. */
    readonly failures: SampleTally['failures'];
    readonly skips: SampleTally['skips'];
}

/** Most entries of a list in a total; the counts are not limited. */
export const LIST_BOUND = 1000;

interface MutableGroup {
    total: number;
    completed: number;
    readonly verdicts: Partial<Record<Verdict, number>>;
    skipped: number;
    failed: number;
    pending: number;
    inPart?: number;
    scores?: ScoreSum;
}

/** Adds samples to a total; a hundred thousand of them cost a hundred thousand small additions. */
export class TallySum {
    #samples = 0;
    #completeSamples = 0;
    #unexpectedCount = 0;
    #inPartCount = 0;
    #nearLimitCount = 0;
    #aboveOwnCount = 0;
    readonly #groups = new Map<string, MutableGroup>();
    readonly #unexpected: Unexpected[] = [];
    readonly #inPart: ScoredInPart[] = [];
    readonly #nearLimit: TaskRef[] = [];
    readonly #aboveOwn: TaskRef[] = [];
    readonly #failures: FailedTask[] = [];
    readonly #skips = new Map<string, number>();

    // Creates no lists of entries: a start adds up every sample.
    add(tally: SampleTally): void {
        this.#samples += 1;
        if (tally.isComplete) this.#completeSamples += 1;
        for (const name in tally.groups) this.#addGroup(name, tally.groups[name]);
        this.#unexpectedCount += tally.unexpected.length;
        this.#inPartCount += tally.inPart.length;
        this.#nearLimitCount += tally.nearLimit.length;
        this.#aboveOwnCount += tally.aboveOwn.length;
        addBounded(this.#unexpected, tally.unexpected);
        addBounded(this.#inPart, tally.inPart);
        addBounded(this.#nearLimit, tally.nearLimit);
        addBounded(this.#aboveOwn, tally.aboveOwn);
        addBounded(this.#failures, tally.failures);
        for (const reason in tally.skips) {
            const count = tally.skips[reason] ?? 0;
            const known = this.#skips.get(reason);
            if (known !== undefined || this.#skips.size < LIST_BOUND)
                this.#skips.set(reason, (known ?? 0) + count);
        }
    }

    #addGroup(name: string, group: GroupTally | undefined): void {
        if (group === undefined) return;
        let sum = this.#groups.get(name);
        if (sum === undefined) {
            sum = { total: 0, completed: 0, verdicts: {}, skipped: 0, failed: 0, pending: 0 };
            this.#groups.set(name, sum);
        }
        sum.total += group.total;
        sum.completed += group.completed;
        sum.skipped += group.skipped;
        sum.failed += group.failed;
        sum.pending += group.pending;
        if (group.inPart !== undefined) sum.inPart = (sum.inPart ?? 0) + group.inPart;
        if (group.scores !== undefined) sum.scores = addScores(sum.scores, group.scores);
        for (const verdict in group.verdicts) {
            if (!isVerdict(verdict)) continue;
            sum.verdicts[verdict] = (sum.verdicts[verdict] ?? 0) + (group.verdicts[verdict] ?? 0);
        }
    }

    /** A copy of the total so far, as plain data. */
    value(): TotalTally {
        const groups = Object.create(null) as Record<string, GroupTally>;
        for (const [name, sum] of this.#groups) groups[name] = { ...sum, verdicts: { ...sum.verdicts } };
        return {
            samples: this.#samples,
            completeSamples: this.#completeSamples,
            groups,
            unexpectedCount: this.#unexpectedCount,
            unexpected: [...this.#unexpected],
            inPartCount: this.#inPartCount,
            inPart: [...this.#inPart],
            nearLimitCount: this.#nearLimitCount,
            nearLimit: [...this.#nearLimit],
            aboveOwnCount: this.#aboveOwnCount,
            aboveOwn: [...this.#aboveOwn],
            failures: [...this.#failures],
            skips: Object.fromEntries(this.#skips),
        };
    }
}

function addBounded<T>(list: T[], more: readonly T[]): void {
    for (const item of more) {
        if (list.length >= LIST_BOUND) return;
        list.push(item);
    }
}

/**
 * The total of a directory, including samples that have no file yet.
 * @param whole what the datasets hold, according to run.json: it includes skipped tasks, which are known to be skipped only from
 * files
 */
export function withWhole(
    total: TotalTally,
    whole: { readonly samples: number; readonly groups: Readonly<Record<string, number>> } | null,
): TotalTally {
    if (whole === null) return total;
    const groups = new Map(Object.entries(total.groups));
    for (const [name, tasks] of Object.entries(whole.groups)) {
        const group = groups.get(name) ?? {
            total: 0,
            completed: 0,
            verdicts: {},
            skipped: 0,
            failed: 0,
            pending: 0,
        };
        groups.set(name, { ...group, total: Math.max(group.total, tasks - group.skipped) });
    }
    return { ...total, samples: Math.max(total.samples, whole.samples), groups: Object.fromEntries(groups) };
}

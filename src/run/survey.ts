import type { CheckpointStore } from '../checkpoint/store.js';
import type { IndexedSample } from '../dataset/dataset.js';
import type { Checkpoint, FileStamp, SampleState } from '../model/checkpoint.js';
import { type SampleFigures, tallyUntouched } from '../model/directory-sample.js';
import type { DueReason, PlanCounts } from '../model/event.js';
import { withLabels } from '../model/expectation.js';
import type { Sequence } from '../model/sample-rows.js';
import {
    type EntryFigures,
    readFigures,
    countOpenTasks,
    type SampleTally,
    tallySample,
} from '../model/tally.js';
import { countDue } from '../plan/count-due.js';
import type { SamplePlan } from '../plan/sample-plan.js';
import { type EarlierImport, EarlierImportSum } from './earlier-import.js';
import { plan, prepare, type PrepareOptions } from './prepare.js';
import type { SampleItem } from './sample-item.js';
import { type WorkItem, WorkList } from './work-list.js';

/** What earlier starts learned about complete result files; kept in checkpoints/<dir>/index.json. */
export interface ResultIndex {
    /** The tally of a complete sample; null if its file, its row or the key of the plan has changed. */
    get(id: string, stamp: FileStamp, row: string, planKey: string): SampleTally | null;
    set(
        id: string,
        stamp: FileStamp,
        row: string,
        planKey: string,
        tally: SampleTally,
        computedLimits: SampleFigures['computedLimits'],
    ): void;
}

/** Samples with work, and the tallies of those that have a result file. */
export interface SurveyedWork extends Sequence<WorkItem> {
    tallies(): Iterable<SampleTally>;
}

/** What is left to do, determined before anything runs. */
export interface Survey {
    readonly counts: PlanCounts;
    readonly work: SurveyedWork;
    /** Finished entries that would be replaced because of changed inputs. */
    readonly changed: number;
    /** A few samples with such entries, for the message. */
    readonly changedSamples: readonly string[];
    /** Finished entries whose labels in the dataset changed; they do not run again. */
    readonly relabelled: number;
    /** What is imported from the earlier tools; null if none of their results were found. */
    readonly earlier: EarlierImport | null;
}

export interface SurveyParts {
    readonly store: Pick<CheckpointStore, 'read' | 'isEmpty' | 'stamp'>;
    readonly index: ResultIndex;
    readonly planKey: string;
    readonly options: PrepareOptions;
    /** Whether to read samples without a result file too: some of their tasks may be skipped, and nothing else shows that. */
    readonly thorough: boolean;
    /** Called for each sample with nothing left to do. */
    readonly onSettled: (tally: SampleTally) => void;
}

/**
 * Visits every sample once and opens only what the index does not cover. Several files are read at a time, up to a bound, because
 * reading one after the other is mostly waiting; results are reported in the samples' order.
 */
export async function survey(items: Sequence<SampleItem>, parts: SurveyParts): Promise<Survey> {
    const sum = new SurveySum(items, parts);
    const untouched = new UntouchedSamples();
    const ahead = new LookAhead();
    const isFirst = await parts.store.isEmpty();
    try {
        for (const item of items) {
            const asked = isFirst ? null : parts.store.stamp(item.indexed.id);
            const stamp = asked instanceof Promise ? await asked : asked;
            const known = seeUnread(item, stamp, parts, untouched);
            if (known !== null && ahead.isEmpty) {
                sum.add(item, known);
                continue;
            }
            const seen = known === null ? look(item, stamp, parts) : Promise.resolve(known);
            ahead.push({ item, seen, bytes: known === null ? (stamp?.size ?? 0) : 0 });
            while (ahead.isFull) await ahead.take(sum);
        }
        while (!ahead.isEmpty) await ahead.take(sum);
    } finally {
        await ahead.settle();
    }
    return sum.survey();
}

/** Maximum number of result files read at once, and the total size above which no further one is begun. */
const FILES_AT_ONCE = 32;
const BYTES_AT_ONCE = 32 * 1024 ** 2;

interface PrefetchedItem {
    readonly item: SampleItem;
    readonly seen: Promise<SurveyedSample>;
    readonly bytes: number;
}

/** Samples being read, in their order. */
class LookAhead {
    readonly #inOrder: PrefetchedItem[] = [];
    #bytes = 0;

    get isEmpty(): boolean {
        return this.#inOrder.length === 0;
    }

    get isFull(): boolean {
        return this.#inOrder.length >= FILES_AT_ONCE || this.#bytes >= BYTES_AT_ONCE;
    }

    push(one: PrefetchedItem): void {
        // Nobody handles a failure until the sample's turn comes; keep it from counting as an unhandled rejection.
        one.seen.catch(() => undefined);
        this.#inOrder.push(one);
        this.#bytes += one.bytes;
    }

    async take(sum: SurveySum): Promise<void> {
        const first = this.#inOrder[0];
        if (first === undefined) return;
        const seen = await first.seen;
        this.#inOrder.shift();
        this.#bytes -= first.bytes;
        sum.add(first.item, seen);
    }

    /** Waits after a failure until no read is in progress. */
    async settle(): Promise<void> {
        await Promise.allSettled(this.#inOrder.map(({ seen }) => seen));
    }
}

class SurveySum {
    readonly #parts: SurveyParts;
    readonly #totals = new Counts();
    /** The last summary added, and how often in a row: a million samples without results all share one. */
    #last: SurveyedSample | null = null;
    #repeated = 0;
    readonly #work: WorkList;
    /** Number of samples added so far, which is the position of the next one. */
    #place = 0;
    readonly #changedSamples: string[] = [];
    readonly #earlier = new EarlierImportSum();
    #changed = 0;
    #relabelled = 0;

    constructor(items: Sequence<SampleItem>, parts: SurveyParts) {
        this.#work = new WorkList(items);
        this.#parts = parts;
    }

    add(item: SampleItem, seen: SurveyedSample): void {
        if (seen !== this.#last) this.#addRepeated();
        this.#last = seen;
        this.#repeated += 1;
        if (seen.earlier !== null) this.#earlier.add(seen.earlier.checkpoint, seen.earlier.planned);
        if (seen.due > 0 || seen.dirty) {
            const { due, dueBy } = seen;
            this.#work.add(this.#place, { due, dueBy, tally: seen.hasFile ? seen.tally : null });
        } else {
            this.#parts.onSettled(seen.tally);
        }
        this.#place += 1;
        this.#relabelled += seen.relabelled;
        if (seen.changed > 0) {
            this.#changed += seen.changed;
            if (this.#changedSamples.length < 3) this.#changedSamples.push(item.indexed.id);
        }
    }

    #addRepeated(): void {
        if (this.#last !== null) this.#totals.add(this.#last, this.#repeated);
        this.#repeated = 0;
    }

    survey(): Survey {
        this.#addRepeated();
        return {
            counts: this.#totals.counts(),
            work: this.#work,
            changed: this.#changed,
            changedSamples: this.#changedSamples,
            relabelled: this.#relabelled,
            earlier: this.#earlier.value(),
        };
    }
}

interface SurveyedSample {
    readonly due: number;
    readonly dueBy: PlanCounts['dueBy'];
    readonly dirty: boolean;
    readonly changed: number;
    readonly relabelled: number;
    readonly tally: SampleTally;
    /** False if there is no result file; the tally is then that of any sample with the same groups. */
    readonly hasFile: boolean;
    /** The checkpoint and plan, if there are results of the earlier tools. */
    readonly earlier: { readonly checkpoint: Checkpoint; readonly planned: SamplePlan } | null;
}

/** What is known about a sample without reading it or its file: from the index, or because it has no result file. */
function seeUnread(
    item: SampleItem,
    stamp: FileStamp | null,
    parts: SurveyParts,
    untouched: UntouchedSamples,
): SurveyedSample | null {
    const { groups } = item.indexed;
    if (stamp !== null) {
        const { id, fingerprint } = item.indexed;
        const tally = parts.index.get(id, stamp, fingerprint, parts.planKey);
        return tally === null ? null : makeNothingDue(tally);
    }
    const isCountEnough = item.dataset.skipsNothing === true && !parts.options.judges;
    return parts.thorough && !isCountEnough ? null : untouched.see(groups);
}

/**
 * The summary of samples without results. Samples with the same groups share one, and most have the groups of the sample before.
 */
class UntouchedSamples {
    #groups: IndexedSample['groups'] | null = null;
    #seen: SurveyedSample = makeNothingDue(tallyUntouched('', []));

    see(groups: IndexedSample['groups']): SurveyedSample {
        if (groups === this.#groups) return this.#seen;
        const due = groups.reduce((sum, [, count]) => sum + count, 0);
        this.#groups = groups;
        this.#seen = {
            due,
            dueBy: { new: due },
            dirty: due === 0,
            changed: 0,
            relabelled: 0,
            tally: tallyUntouched('', groups),
            hasFile: false,
            earlier: null,
        };
        return this.#seen;
    }
}

function makeNothingDue(tally: SampleTally): SurveyedSample {
    return {
        due: 0,
        dueBy: {},
        dirty: false,
        changed: 0,
        relabelled: 0,
        tally,
        hasFile: true,
        earlier: null,
    };
}

async function look(item: SampleItem, stamp: FileStamp | null, parts: SurveyParts): Promise<SurveyedSample> {
    const { id, fingerprint } = item.indexed;
    const checkpoint = stamp === null ? null : await parts.store.read(id);
    const prepared = prepare(await item.dataset.load(item.indexed), parts.options);
    const planned = plan(prepared, checkpoint, null, parts.options);
    const isEarlier =
        checkpoint !== null && (checkpoint.origin === 'earlier' || checkpoint.earlier !== undefined);
    const seen = {
        ...summarizePlan(planned),
        tally: countTally(planned.state),
        hasFile: true,
        earlier: isEarlier ? { checkpoint, planned } : null,
    };
    if (stamp !== null && seen.due === 0 && !seen.dirty && seen.tally.isComplete) {
        const { tally } = seen;
        const { computedLimits } = planned.state;
        parts.index.set(id, stamp, fingerprint, parts.planKey, tally, computedLimits);
    }
    return seen;
}

function summarizePlan(planned: SamplePlan): Omit<SurveyedSample, 'tally' | 'hasFile' | 'earlier'> {
    return {
        due: planned.due.length,
        dueBy: countDue(planned.due),
        dirty: planned.state.dirty,
        changed: planned.changed,
        relabelled: planned.relabelled,
    };
}

/** Tally of what a sample's file will contain when work on it starts. */
function countTally(state: SampleState): SampleTally {
    return tallySample(
        state.id,
        state.totals.map(([name, total]) => ({
            name,
            total,
            entries: state.kept.flatMap((kept): EntryFigures[] => {
                if (kept.group !== name) return [];
                // Entries of the earlier tools have no index yet.
                const entry = withLabels(kept.stored.entry, kept.labels);
                const figures = readFigures({ ...entry, index: kept.index });
                return figures === null ? [] : [figures];
            }),
            ...countOpenTasks(state, name),
        })),
    );
}

class Counts {
    #samples = 0;
    #complete = 0;
    #tasks = 0;
    #finished = 0;
    #due = 0;
    #skipped = 0;
    readonly #dueBy: Partial<Record<DueReason, number>> = {};

    /** @param times number of samples */
    add(seen: SurveyedSample, times: number): void {
        this.#samples += times;
        if (seen.due === 0) this.#complete += times;
        this.#due += times * seen.due;
        const { groups } = seen.tally;
        for (const name in groups) {
            const group = groups[name];
            if (group === undefined) continue;
            this.#tasks += times * group.total;
            this.#finished += times * group.completed;
            this.#skipped += times * group.skipped;
        }
        if (seen.due === 0) return;
        // Do not build a list of entries: there may be a million samples.
        for (const key in seen.dueBy) {
            const why = key as DueReason;
            this.#dueBy[why] = (this.#dueBy[why] ?? 0) + times * (seen.dueBy[why] ?? 0);
        }
    }

    counts(): PlanCounts {
        return {
            samples: this.#samples,
            completeSamples: this.#complete,
            tasks: this.#tasks,
            finished: this.#finished,
            due: this.#due,
            skipped: this.#skipped,
            dueBy: this.#dueBy,
        };
    }
}

import type { SampleWriter } from '../checkpoint/store.js';
import type { Checkpoint, FileStamp } from '../model/checkpoint.js';
import type { PlanCounts } from '../model/event.js';
import type { Stage } from '../model/sample.js';
import { countDue } from '../plan/count-due.js';
import type { DueTask, SamplePlan } from '../plan/sample-plan.js';
import {
    computeLimits,
    findEntriesCutByTimeout,
    buildLimits,
    plan,
    type PreparedSample,
    type PrepareOptions,
} from './prepare.js';
import { makeTaskState, type SampleInWork, type TaskState } from './task-state.js';

/**
 * An open sample: loaded once, its tasks handed out one by one, its file closed when the last one has ended.
 *
 *     tasks of the rule's group ──all ended──> limits computed ──> the other groups      (packages without a limit)
 *     all tasks                                                                          (everything else)
 */
export class OpenSample implements SampleInWork {
    readonly id: string;
    /** Position among the samples with work. */
    readonly position: number;
    /** Fingerprint of the sample's row in the dataset. */
    readonly row: string;
    readonly due: number;
    readonly dueBy: PlanCounts['dueBy'];
    readonly #prepared: PreparedSample;
    readonly #checkpoint: Checkpoint | null;
    readonly #options: PrepareOptions;
    #queue: readonly TaskState[];
    #next = 0;
    /** Tasks of this phase that have not ended, handed out or not. */
    #open: number;
    /** Whether the limit is computed when the tasks of this phase have ended. */
    #awaitsLimit: boolean;

    constructor(
        readonly writer: SampleWriter,
        readonly stage: Stage | null,
        prepared: PreparedSample,
        checkpoint: Checkpoint | null,
        first: SamplePlan,
        options: PrepareOptions,
        { position, row }: { readonly position: number; readonly row: string },
    ) {
        this.id = prepared.sample.id;
        this.position = position;
        this.row = row;
        this.#prepared = prepared;
        this.#checkpoint = checkpoint;
        this.#options = options;
        this.due = first.due.length;
        this.dueBy = countDue(first.due);
        const { rule } = prepared;
        this.#awaitsLimit = awaitsLimit(prepared, first);
        const waits = (task: DueTask): boolean => this.#awaitsLimit && task.group !== rule?.group;
        this.#queue = this.#states(
            first.due.filter((task) => !waits(task)),
            first.state.computedLimits,
        );
        this.#open = this.#queue.length;
    }

    get stagePath(): string | null {
        return this.stage?.path ?? null;
    }

    #states(due: readonly DueTask[], computed: SamplePlan['state']['computedLimits']): readonly TaskState[] {
        return due.map((task) =>
            makeTaskState(task, this, buildLimits(this.#prepared, task.group, computed, this.#options)),
        );
    }

    /** The next task to start, or null if all are handed out. */
    take(): TaskState | null {
        const state = this.#queue[this.#next] ?? null;
        if (state !== null) this.#next += 1;
        return state;
    }

    /** Records that a task has ended for good (committed, given up or dropped). Returns true if it was the last of this phase. */
    ended(): boolean {
        this.#open -= 1;
        return this.#open === 0;
    }

    get isIdle(): boolean {
        return this.#open === 0;
    }

    /** Closes the file, and removes the staged tests even if that fails. Returns the file's stamp (null if never written). */
    async close(): Promise<FileStamp | null> {
        try {
            return await this.writer.close();
        } finally {
            await this.stage?.release();
        }
    }

    /**
     * After a phase: computes the limit that the other tasks waited for, and queues those. Returns whether there is more to do.
     * If no run of the group was accepted, they run under `--timeout`.
     * @param warn gets a line if `--timeout` stopped programs that the limit should have been computed from
     */
    async advance(warn: (message: string) => void): Promise<boolean> {
        if (!this.#awaitsLimit) return false;
        this.#awaitsLimit = false;
        const { rule, ruleFingerprint } = this.#prepared;
        const entries = rule === null ? [] : this.writer.getEntries(rule.group);
        const measured = computeLimits(this.#prepared, entries, this.#options.machineLoad);
        const cut = findEntriesCutByTimeout(entries).length;
        if (cut > 0) warn(describeCut(this.id, cut, measured?.time ?? null, this.#options.limits.timeout));
        // Do not save it if nothing was accepted: a later start may have more to go on.
        if (measured !== null) await this.writer.setComputedLimits(measured);
        const computed = measured ?? {
            time: this.#options.limits.timeout,
            slowest: 0,
            group_fingerprint: ruleFingerprint,
        };
        const again = plan(this.#prepared, this.#checkpoint, computed, this.#options);
        const due = again.due.filter((task) => task.group !== rule?.group);
        this.#queue = this.#states(due, computed);
        this.#next = 0;
        this.#open = this.#queue.length;
        return this.#open > 0;
    }
}

/** Whether a sample's limit still has to be computed. Its tests are needed then, even if no task is due yet. */
export const awaitsLimit = ({ rule }: PreparedSample, { state }: SamplePlan): boolean =>
    rule !== null && state.computedLimits === null;

function describeCut(id: string, cut: number, limit: number | null, timeout: number): string {
    const programs =
        cut === 1 ? 'a solution that should be accepted' : `${cut} solutions that should be accepted`;
    const without = cut === 1 ? 'without it' : 'without them';
    const effect =
        limit === null
            ? 'no time limit could be computed, and --timeout applies to the others'
            : `its time limit (${limit} s) was computed ${without}`;
    return `${id}: --timeout ${timeout} stopped ${programs}, so ${effect}; use a larger --timeout to include ${cut === 1 ? 'it' : 'them'}`;
}

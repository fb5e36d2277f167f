import type { SampleWriter } from '../checkpoint/store.js';
import type { Checkpoint, FileStamp } from '../model/checkpoint.js';
import type { PlanCounts } from '../model/event.js';
import type { Stage } from '../model/sample.js';
import { countDue } from '../plan/count-due.js';
import type { DueTask, SamplePlan } from '../plan/sample-plan.js';
import { computeLimits, limitsOf, plan, type PreparedSample, type PrepareOptions } from './prepare.js';
import { newTaskState, type SampleInWork, type TaskState } from './task-state.js';

/**
 * A sample in work: loaded once, its tasks handed out one by one, its file closed when the last one has ended.
 *
 *     tasks of the rule's group ──all ended──> limits computed ──> the other groups      (packages without a limit)
 *     all tasks                                                                          (everything else)
 */
export class OpenSample implements SampleInWork {
    readonly id: string;
    readonly due: number;
    readonly dueBy: PlanCounts['dueBy'];
    readonly #prepared: PreparedSample;
    readonly #checkpoint: Checkpoint | null;
    readonly #options: PrepareOptions;
    #queue: readonly TaskState[];
    #next = 0;
    /** Tasks handed out or waiting, of this phase. */
    #open: number;
    #deferred: readonly DueTask[];

    constructor(
        readonly writer: SampleWriter,
        readonly stage: Stage | null,
        prepared: PreparedSample,
        checkpoint: Checkpoint | null,
        first: SamplePlan,
        options: PrepareOptions,
        /** Fingerprint of its row in the dataset. */
        readonly row: string,
    ) {
        this.id = prepared.sample.id;
        this.#prepared = prepared;
        this.#checkpoint = checkpoint;
        this.#options = options;
        this.due = first.due.length;
        this.dueBy = countDue(first.due);
        const { rule } = prepared;
        const waits = (task: DueTask): boolean =>
            rule !== null && first.state.computedLimits === null && task.group !== rule.group;
        this.#deferred = first.due.filter(waits);
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
            newTaskState(task, this, limitsOf(this.#prepared, task.group, computed, this.#options)),
        );
    }

    /** The next task to start, or null if all are handed out. */
    take(): TaskState | null {
        const state = this.#queue[this.#next] ?? null;
        if (state !== null) this.#next += 1;
        return state;
    }

    /** A task has ended for good (committed, given up or dropped). True when it was the last of this phase. */
    ended(): boolean {
        this.#open -= 1;
        return this.#open === 0;
    }

    get isIdle(): boolean {
        return this.#open === 0;
    }

    /** Closes its file, and removes its staged tests even if that fails. Returns the file's stamp (null if never written). */
    async close(): Promise<FileStamp | null> {
        try {
            return await this.writer.close();
        } finally {
            await this.stage?.release();
        }
    }

    /**
     * After a phase: computes the limit the rest waited for and queues it. Returns whether there is more to do.
     * Where no run of the group was accepted the rest runs under `--timeout`.
     */
    async advance(): Promise<boolean> {
        if (this.#deferred.length === 0) return false;
        const { rule, ruleFingerprint } = this.#prepared;
        const entries = rule === null ? [] : this.writer.entriesOf(rule.group);
        const measured = computeLimits(this.#prepared, entries);
        // Not written down where nothing was accepted: a later start may know better.
        if (measured !== null) await this.writer.setComputedLimits(measured);
        const computed = measured ?? {
            time: this.#options.limits.timeout,
            slowest: 0,
            group_fingerprint: ruleFingerprint,
        };
        const again = plan(this.#prepared, this.#checkpoint, computed, this.#options);
        const due = again.due.filter((task) => task.group !== rule?.group);
        this.#deferred = [];
        this.#queue = this.#states(due, computed);
        this.#next = 0;
        this.#open = this.#queue.length;
        return this.#open > 0;
    }
}

import type { Backend } from '../backend/backend.js';
import type { CheckpointStore } from '../checkpoint/store.js';
import type { EndpointState, Spending, RunEnd, RunEvent } from '../model/event.js';
import type { Sample, Stage } from '../model/sample.js';
import type { Sequence } from '../model/sample-rows.js';
import type { StopReason } from '../model/stop.js';
import type { TallySum } from '../model/tally-sum.js';
import type { Task } from '../model/task.js';
import type { PrepareOptions } from './prepare.js';
import type { StopRules } from './stop-rules.js';
import type { RetryPolicy } from './retry.js';
import type { ResultIndex } from './survey.js';
import type { WorkItem } from './work-list.js';

/** The parts that the loop connects, known to it only by their interfaces. */
export interface RunParts {
    readonly work: Sequence<WorkItem>;
    readonly store: CheckpointStore;
    readonly backend: Backend;
    /** Writes a sample's tests to scratch files; null if no programs are judged. */
    readonly stage: ((sample: Sample) => Promise<Stage>) | null;
    readonly index: ResultIndex;
    readonly planKey: string;
    readonly prepare: PrepareOptions;
    readonly options: RunOptions;
    /** Sum of the tallies of samples without work. */
    readonly settled: TallySum;
    readonly endpoints: () => readonly EndpointState[];
    /** What requests have used so far; absent if usage is not counted. */
    readonly spent?: () => Spending | undefined;
    readonly emit: (event: RunEvent) => void;
    /** Stops whatever the loading of samples waits for, such as tests being generated; absent if loading never waits long. */
    readonly stopLoading?: () => void;
    /** Throws if the directory now belongs to another run. Called before tasks start, at most once every 30 s. */
    readonly verifyHolder: () => Promise<void>;
}

export interface RunOptions extends RetryPolicy, StopRules {
    readonly concurrency: number;
    /** Tasks handed to the backend beyond `concurrency` while tasks take less than `FAST_TASK_S`; 0: none. */
    readonly prefetch: number;
    /** Seconds for which a slot stays empty after a task. */
    readonly delay: number;
    /**
     * Tasks per batch; a batch starts when all tasks of the last one have ended. 0: no batches, tasks start as slots become free.
     */
    readonly batchSize: number;
    /** Maximum attempts started per second; null: no limit. */
    readonly rate: number | null;
    /** Seconds that running tasks have to end after the first request to stop. */
    readonly grace: number;
    /** `false`: `--no-keep-source`. */
    readonly keepSource: boolean;
    /** Whether tasks cost money. If so, at most twice `concurrency` tasks are running or not yet on disk. */
    readonly isPaid: boolean;
    /** Seconds after which a task's worker counts as hung; null if the executor limits the time itself. */
    readonly patience: (task: Task) => number | null;
}

export interface RunHandle {
    /** Rejects with WriteError, UserError (a dataset changed) or a bug, after saving what could be saved. */
    readonly done: Promise<RunEnd>;
    /** First call: starts nothing more and gives running tasks the grace period. Second call: ends them now. */
    stop(reason: StopReason): void;
    setConcurrency(concurrency: number): void;
}

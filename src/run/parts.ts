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

/** The parts that the loop joins; it knows them by their interfaces only. */
export interface RunParts {
    readonly work: Sequence<WorkItem>;
    readonly store: CheckpointStore;
    readonly backend: Backend;
    /** Writes a sample's tests to scratch files; null where no program is judged. */
    readonly stage: ((sample: Sample) => Promise<Stage>) | null;
    readonly index: ResultIndex;
    readonly planKey: string;
    readonly prepare: PrepareOptions;
    readonly options: RunOptions;
    /** Tallies of the samples that have no work, added up. */
    readonly settled: TallySum;
    readonly endpoints: () => readonly EndpointState[];
    /** What requests have used so far; absent: nothing that is counted. */
    readonly spent?: () => Spending | undefined;
    readonly emit: (event: RunEvent) => void;
    /** Ends what the loading of samples waits for, such as tests in the making; absent: it waits for nothing long. */
    readonly stopLoading?: () => void;
    /** Throws if the directory is another run's by now. Asked before tasks start, at most every half a minute. */
    readonly verifyHolder: () => Promise<void>;
}

export interface RunOptions extends RetryPolicy, StopRules {
    readonly concurrency: number;
    /** Tasks handed to the backend beyond `concurrency` while tasks take under `FAST_TASK_S`: 0 for none. */
    readonly prefetch: number;
    /** Seconds that a slot stays empty after a task. */
    readonly delay: number;
    /** Tasks handed out at a time, the next ones when all of them have ended; 0: as slots become free. */
    readonly batchSize: number;
    /** Attempts started a second, at most; null: no limit. */
    readonly rate: number | null;
    /** Seconds that running tasks get after the first request to stop. */
    readonly grace: number;
    /** `false`: `--no-keep-source`. */
    readonly keepSource: boolean;
    /** Whether tasks cost money: those running and those not yet on disk are then at most twice `concurrency`. */
    readonly isPaid: boolean;
    /** Seconds after which a task's worker counts as hung; null: the executor bounds it. */
    readonly patience: (task: Task) => number | null;
}

export interface RunHandle {
    /** Rejects with WriteError, UserError (a dataset changed) or a bug, after saving what could be saved. */
    readonly done: Promise<RunEnd>;
    /** First call: start nothing more, give running tasks the grace. Second call: end them now. */
    stop(reason: StopReason): void;
    setConcurrency(concurrency: number): void;
}

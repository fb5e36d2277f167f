import type { Attempt, JudgeResult } from './entry.js';
import type { JsonObject } from './json.js';
import type { Failure } from './failure.js';
import type { StopReason, StopSignal } from './stop.js';
import type { SampleTally } from './tally.js';
import type { TotalTally } from './tally-sum.js';
import type { Suspicion, TaskLog } from './task.js';
import type { Verdict } from './verdict.js';

/** Why a task has to run. */
export type DueReason =
    | 'new'
    | 'input changed'
    /** The entry was computed from numbers that an earlier version had rounded. */
    | 'input was rounded'
    /** Only for entries of the earlier tools: accepted with another number of tests than the dataset has now. */
    | 'another number of tests'
    /** Only for entries of the earlier tools: a time-out that printed nothing. */
    | 'time-out without output'
    | 'limit raised'
    | 'failed before'
    | 'not final yet'
    | 'stopped early'
    | 'compiler changed'
    | 'earlier file without a verdict'
    | 'asked for';

/** Task counts of a whole run or a part of it. */
export interface PlanCounts {
    readonly samples: number;
    readonly completeSamples: number;
    /** Tasks that count (skipped ones do not). */
    readonly tasks: number;
    readonly finished: number;
    readonly due: number;
    readonly skipped: number;
    readonly dueBy: Readonly<Partial<Record<DueReason, number>>>;
}

/**
 * What happened in a run: a closed union, keyed by `type`. Reporters fold it; `--json` prints one per line. Times are ISO 8601,
 * UTC.
 */
export type RunEvent =
    /** Sent once, before anything runs. `part` is what `--only/--limit/--shard` chose of the whole; equal to it without them. */
    | {
          readonly type: 'run-started';
          readonly at: string;
          readonly dir: string;
          readonly datasets: readonly { readonly path: string; readonly format: string }[];
          readonly whole: { readonly samples: number; readonly tasks: number };
          readonly part: PlanCounts;
          readonly concurrency: number;
          readonly executor: string;
          readonly mode: string;
          readonly sandbox: string | null;
          /** The limits in force, in words; null if no program is judged. */
          readonly limits: string | null;
          /** How outputs are compared, in words; null if no program is judged. */
          readonly comparison: string | null;
          /** Servers that tasks are sent to, including those for second tries; absent if there are none. */
          readonly endpoints?: number;
      }
    /** A line for the user: an announced option, a sandbox that is missing, a file moved aside. */
    | {
          readonly type: 'notice';
          readonly at: string;
          readonly level: 'info' | 'warning';
          readonly message: string;
      }
    | {
          readonly type: 'sample-started';
          readonly at: string;
          readonly sample: string;
          readonly due: number;
          readonly dueBy: PlanCounts['dueBy'];
      }
    | (TaskEvent & { readonly type: 'task-started' })
    /** The attempt had no final outcome: the task will be tried again. */
    | (TaskEvent & {
          readonly type: 'task-retried';
          readonly because:
              | { readonly failure: Failure }
              | { readonly suspicion: Suspicion; readonly verdict: Verdict };
          readonly by: Attempt;
      })
    /** The attempt came to a result or to a last failure, which is on its way to the disk: it no longer runs, and does not count yet. */
    | (TaskEvent & { readonly type: 'task-saving' })
    /** Committed: the result is on disk. */
    | (TaskEvent & {
          readonly type: 'task-finished';
          readonly verdict: Verdict;
          readonly accepted: boolean;
          /** True if the verdict is not among those expected. */
          readonly unexpected: boolean;
          readonly nearLimit: boolean;
          readonly by: Attempt;
          /** As the result file holds it; null if it is too long, and then `resultBytes` says how long. */
          readonly result: JudgeResult | JsonObject | null;
          /** Size of a result that was left out, bytes of JSON. */
          readonly resultBytes?: number;
      })
    /** A line that the executor (a module) wrote for the log. */
    | ({ readonly type: 'task-log'; readonly at: string } & TaskLog)
    /** Given up for now and recorded as a failure. */
    | (TaskEvent & { readonly type: 'task-failed'; readonly failure: Failure; readonly by: Attempt })
    | { readonly type: 'sample-finished'; readonly at: string; readonly tally: SampleTally }
    | { readonly type: 'concurrency-changed'; readonly at: string; readonly concurrency: number }
    /** No endpoint answers: waiting for one. */
    | { readonly type: 'paused'; readonly at: string; readonly message: string }
    | { readonly type: 'resumed'; readonly at: string; readonly message: string }
    | { readonly type: 'endpoint-changed'; readonly at: string; readonly endpoint: EndpointState }
    | {
          readonly type: 'stopping';
          readonly at: string;
          readonly stop: StopReason;
          /** The signal, or `abort` for every other reason. */
          readonly signal: StopSignal | 'abort';
          readonly running: number;
          /** Seconds that running tasks still get. */
          readonly grace: number;
      }
    | { readonly type: 'run-finished'; readonly at: string; readonly end: RunEnd };

export interface TaskEvent {
    readonly at: string;
    readonly sample: string;
    readonly group: string;
    readonly index: number;
    readonly attempt: number;
    readonly workerId: string;
}

/** One server, for the display and the summary. */
export interface EndpointState {
    readonly endpoint: string;
    readonly state: 'healthy' | 'cooling' | 'down' | 'refused';
    readonly inFlight: number;
    readonly done: number;
    readonly failures: number;
    /** Seconds. */
    readonly meanTime: number | null;
    readonly coolDowns: number;
    readonly concurrency: number;
    /** What was measured to find `concurrency`; absent: nothing was measured. */
    readonly calibration?: readonly WidthRate[];
}

/** How fast an endpoint ran hello-world programs, with so many at once. */
export interface WidthRate {
    readonly width: number;
    readonly perSecond: number;
}

/** How a run ended. */
export interface RunEnd {
    readonly outcome: 'finished' | 'finished with failures' | 'stopped';
    /** Why it stopped before everything was done; null if it was not stopped. */
    readonly stop: StopReason | null;
    /** The signal that stopped it, `abort` for every other reason; null if it was not stopped. */
    readonly signal: StopSignal | 'abort' | null;
    /** Tasks committed by this run, and how many of them needed another try. */
    readonly committed: number;
    readonly failed: number;
    readonly aborted: number;
    /** Seconds. */
    readonly duration: number;
    /** Over all samples of the part, earlier runs included. */
    readonly totals: TotalTally;
    readonly workers: readonly WorkerFigures[];
    readonly endpoints: readonly EndpointState[];
    /** What requests to language models used, and how much of that is in results; absent: there were none. */
    readonly spent?: Spending & { readonly kept: KeptSpending };
}

/** What the requests of one start used: a lower bound, since a request without an answer may have been charged by its service. */
export interface Spending {
    readonly answers: number;
    /** Requests that were sent and got no answer. */
    readonly unanswered: number;
    /** Tokens of prompts and answers, as far as services reported them. */
    readonly tokens: number;
    /** US dollars, of the answers and searches whose price is known. */
    readonly cost: number;
    /** Answers whose price is unknown. */
    readonly unpriced: number;
    /** Web searches that were answered, which are not among the answers; absent: there were none. */
    readonly searches?: SearchSpending;
    /**
     * What counts towards the command's budget, estimated if a service reported nothing; absent without a budget. Includes what
     * earlier runs of the command used.
     */
    readonly charged?: { readonly tokens: number; readonly cost: number };
}

/** What web searches cost. */
export interface SearchSpending {
    readonly count: number;
    /** US dollars, of those whose price is known. */
    readonly cost: number;
    readonly unpriced: number;
}

/** The part of the spending that is in results. */
export interface KeptSpending {
    readonly tokens: number;
    /** US dollars. */
    readonly cost: number;
    /** Answers cut off by a token limit. */
    readonly truncated: number;
    /** Answers of judging models, which are in neither number; absent: there are none. Cost in US dollars. */
    readonly judge?: { readonly tokens: number; readonly cost: number };
}

export interface WorkerFigures {
    readonly workerId: string;
    readonly attempts: number;
    readonly failures: number;
    /** Seconds spent running tasks. */
    readonly busy: number;
}

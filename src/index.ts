/**
 * resume-run as a library: open a run, read its plan, iterate its events, stop it. The CLI is built on the same functions.
 *
 * @example
 * import { open } from 'resume-run';
 * const run = await open({ datasets: ['problems.jsonl'], dir: 'results', timeout: 10 });
 * console.log(run.plan.part.due, 'tasks to run');
 * for await (const event of run.events()) if (event.type === 'task-finished') console.log(event.sample, event.verdict);
 * const end = await run.finished;
 *
 * @packageDocumentation
 */
export { open, type OpenSettings, type RowSettings, type Run } from './compose/library.js';
export { readResults, type ReadResultsOptions, type FinishedTask } from './compose/directory/read-results.js';
export type { RunPlan } from './compose/opened-run.js';
export type { OptionSettings } from './compose/settings.js';
export type { RunConfig } from './config.js';
export type { Dataset, IndexedSample } from './dataset/dataset.js';
export type { Executor, ExecutorContext } from './executor/executor.js';
export type { TaskContext, TaskFunction } from './executor/function.js';
export type { ModuleContext, ModuleFunction, ModuleTask } from './executor/module.js';
export type {
    Attempt,
    Entry,
    ExecInfo,
    JudgeResult,
    OutputFile,
    RunResult,
    TestResult,
} from './model/entry.js';
export type { DueReason, PlanCounts, RunEnd, RunEvent } from './model/event.js';
export type { ExecutorDescriptor } from './model/executor-descriptor.js';
export type { Failure, FailureReason } from './model/failure.js';
export type { Json, JsonObject } from './model/json.js';
export type { Limits } from './model/limits.js';
export type { Sample, TaskInput } from './model/sample.js';
export type { StopReason, StopSignal } from './model/stop.js';
export type { GroupTally, SampleTally } from './model/tally.js';
export type { TotalTally } from './model/tally-sum.js';
export type { Outcome, Task } from './model/task.js';
export { type Verdict, VERDICTS } from './model/verdict.js';
export { WriteError } from './host/write-error.js';
export { type ErrorCode, type ExitCode, UserError } from './util/user-error.js';

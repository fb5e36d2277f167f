/**
 * The earlier tools' names over the core and the results database of resume-run (`import ... from 'resume-run/legacy'`).
 * docs/database.md describes how each differs.
 *
 * @packageDocumentation
 */
export {
    type CollectorOptions,
    CumulativeTestManagerAdapter,
    type ResultBatch,
    ResultAggregator,
    ResultCollector,
    type TestManagerOptions,
} from './compose/collect/earlier-collector.js';
export {
    ConcurrentBigModelExecutor,
    ConcurrentConfig,
    type ConcurrentSettings,
    type TaskResult,
    TaskWorker,
} from './compose/earlier-executor.js';
export {
    type BatchTestResult,
    type BatchTestSettings,
    type MatrixSettings,
    type MatrixTest,
    runBatchTestSmart,
    UltraParallelRunner,
} from './compose/earlier-matrix.js';
export type { CommitSummary, StorageFormat } from './results/result-store.js';

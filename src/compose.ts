/*
 * Binds the parts that a configuration names. Each is loaded only when needed: see the registries.
 */
export type { GeneratedDataset } from './compose/generated-dataset.js';
export { openRun } from './compose/open-run.js';
export type { DueSample, OpenedRun, RunPlan } from './compose/opened-run.js';

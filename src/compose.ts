/*
 * Binds the parts that a configuration names. Everything is loaded when it is needed: see the registries.
 */
export type { GeneratedDataset } from './compose/generated-dataset.js';
export { openRun } from './compose/open-run.js';
export type { DueSample, OpenedRun, RunPlan } from './compose/opened-run.js';

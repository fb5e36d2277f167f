/*
 * Binds the parts that a configuration names. Everything is loaded when it is needed: see the registries.
 */
export type { GeneratedDataset } from './compose/generated-dataset.js';
export { type OpenedRun, openRun, type RunPlan } from './compose/open-run.js';

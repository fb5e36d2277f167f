/*
 * From command line, environment, config file and run.json to one checked RunConfig. The options of a run are in
 * config/run-options.ts; the order of sources is in config/resolve-run.ts.
 */
export { chooseCheckpointsFolder } from './config/build-config.js';
export { chooseDatasets } from './config/choose-datasets.js';
export type { GivenOptions } from './config/layers.js';
export {
    type KnownRun,
    type Resolved,
    resolveConfig,
    resolveRun,
} from './config/resolve-run.js';
export type * from './config/run-config.js';
export { RUN_OPTION_NAMES } from './config/run-options.js';
export type { CheckerSetting } from './config/values/checker.js';
export { resolveOptions } from './config/resolve-options.js';

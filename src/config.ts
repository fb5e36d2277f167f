/*
 * From command line, environment, config file and run.json to one checked RunConfig.
 * The table of options is config/options.ts; the order of sources is config/resolve.ts.
 */
export { checkpointsFolder } from './config/build-config.js';
export { chooseDatasets } from './config/choose-datasets.js';
export type { GivenOptions } from './config/layers.js';
export type { EndpointObject, LanguageSetting } from './config/option-spec.js';
export {
    type CommandLine,
    type KnownRun,
    type Resolved,
    resolveConfig,
} from './config/resolve.js';
export type * from './config/run-config.js';
export { OPTION_NAMES } from './config/options.js';
export { resolveOptions } from './config/resolve-options.js';

import type { StoredOptions } from './option.js';

/** Defaults for running a matrix: each cell uses its own model, with the system message of its prompt type. */
export const MATRIX_PRESETS: StoredOptions = { executor: 'chat', model: '{model}', system: '{system}' };

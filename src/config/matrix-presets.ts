import type { StoredOptions } from './option.js';

/** Defaults of running a matrix: each cell asks its own model, with the system message of its prompt type. */
export const MATRIX_PRESETS: StoredOptions = { executor: 'chat', model: '{model}', system: '{system}' };

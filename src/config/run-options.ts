import { EXECUTOR_OPTIONS } from '../executor/kinds.js';
import { COLLECTING_OPTIONS } from './run-options/collecting.js';
import { LIMIT_OPTIONS } from './run-options/limits.js';
import { RUNNING_OPTIONS } from './run-options/running.js';
import { DISPLAY_OPTIONS, TASK_OPTIONS } from './run-options/tasks.js';
import type { Values } from './option.js';

/**
 * The options of every command that runs tasks. A command with its own options adds them in its own file: `{ ...RUN_OPTIONS,
 * topics: {...} }`.
 */
export const RUN_OPTIONS = {
    ...TASK_OPTIONS,
    ...LIMIT_OPTIONS,
    ...RUNNING_OPTIONS,
    ...EXECUTOR_OPTIONS,
    ...COLLECTING_OPTIONS,
    ...DISPLAY_OPTIONS,
} as const;

export type RunOptionName = keyof typeof RUN_OPTIONS;

/** The typed values of all options. */
export type RunOptionValues = Values<typeof RUN_OPTIONS>;

export const RUN_OPTION_NAMES = Object.keys(RUN_OPTIONS) as readonly RunOptionName[];

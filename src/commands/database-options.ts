import { DATABASE_OPTIONS } from '../config/run-options/collecting.js';
import { RUN_OPTIONS } from '../config/run-options.js';
import type { OptionTable } from '../config/option.js';

/** Options of commands that write the results database. */
export const DATABASE_WRITER_OPTIONS = {
    database: DATABASE_OPTIONS.database,
    storage: DATABASE_OPTIONS.storage,
    'take-over': RUN_OPTIONS['take-over'],
    config: RUN_OPTIONS.config,
} as const satisfies OptionTable;

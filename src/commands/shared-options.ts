import type { OptionTable } from '../config/option.js';
import { RUN_OPTIONS } from '../config/run-options.js';

/** Options that select the results directory of a command. */
export const DIRECTORY_OPTIONS = {
    dir: RUN_OPTIONS.dir,
    checkpoints: RUN_OPTIONS.checkpoints,
    config: RUN_OPTIONS.config,
} as const satisfies OptionTable;

/** `--json` for commands that print one answer. */
export const JSON_OPTION = {
    json: {
        kind: 'flag',
        default: false,
        group: 'What you see',
        about: 'Print JSON',
        decides: 'display',
        only: 'command line',
    },
} as const satisfies OptionTable;

import type { OptionTable } from '../option.js';

/** Options of the results database. */
export const DATABASE_OPTIONS = {
    database: {
        kind: 'path',
        default: 'database',
        placeholder: '<dir>',
        group: 'Results database',
        about: 'Folder of the results database',
        decides: 'run',
    },
    storage: {
        kind: 'choice',
        choices: ['json', 'parquet'],
        variable: 'STORAGE_FORMAT',
        default: null,
        defaultText: "the database's, json for a new one",
        placeholder: '<format>',
        group: 'Results database',
        about: 'Format of the results database',
        decides: 'records',
        effect: 'new parts of the database are written in it; `resume-run migrate` converts the others',
    },
    'temp-dir': {
        kind: 'path',
        variable: 'RESULT_TEMP_DIR',
        default: 'temp_results',
        placeholder: '<dir>',
        group: 'Results database',
        about: 'Folder in which results wait for the database',
        decides: 'run',
    },
} as const satisfies OptionTable;

/** Options for runs that add their records to the results database. */
export const COLLECTING_OPTIONS = {
    collect: {
        kind: 'flag',
        variable: 'USE_RESULT_COLLECTOR',
        default: false,
        group: 'Results database',
        about: 'Also bring results into the results database',
        decides: 'run',
    },
    ...DATABASE_OPTIONS,
} as const satisfies OptionTable;

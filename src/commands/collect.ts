import { DATABASE_OPTIONS } from '../config/run-options/collecting.js';
import { RUN_OPTIONS } from '../config/run-options.js';
import { defineCommand } from './command.js';
import { DATABASE_WRITER_OPTIONS } from './database-options.js';
import { JSON_OPTION } from './shared-options.js';

export const command = defineCommand({
    usage: 'collect [--watch] [--from <result dirs or files...>] [--database <dir>]',
    about:
        'Brings results into the results database, as its only writer: those that wait in --temp-dir, or those of ' +
        'result directories and files. A result that is there already changes nothing',
    arguments: { min: 0, max: Number.POSITIVE_INFINITY, what: 'result directories and files' },
    options: {
        ...DATABASE_WRITER_OPTIONS,
        from: {
            kind: 'path',
            repeatable: true,
            default: [],
            placeholder: '<dir or file>',
            group: 'Where things are',
            about: 'Collect these result directories or files instead of --temp-dir',
            decides: 'run',
            only: 'command line',
        },
        'temp-dir': DATABASE_OPTIONS['temp-dir'],
        watch: {
            kind: 'flag',
            aliases: ['w'],
            default: false,
            group: 'Running',
            about: 'Go on collecting what comes into --temp-dir, until Ctrl-C',
            decides: 'run',
            only: 'command line',
        },
        'keep-days': {
            kind: 'factor',
            default: 7,
            min: 0,
            max: 36_500,
            placeholder: '<days>',
            group: 'What is kept',
            about: 'How long batches are kept in --temp-dir/retired after they are in the database',
            decides: 'run',
        },
        checkpoints: RUN_OPTIONS.checkpoints,
        ...JSON_OPTION,
    },
    examples: [
        { line: 'resume-run collect', about: 'Bring what runs with --collect left in temp_results' },
        { line: 'resume-run collect --watch', about: 'Collect while runs go on, here or elsewhere' },
        { line: 'resume-run collect --from results', about: 'Make the database from result files, or again' },
        {
            line: 'resume-run collect --from results-1 results-2 --storage parquet --database db',
            about: 'Several runs in one database, as Parquet',
        },
    ],
    run: async ({ values, positionals, cwd }) => {
        const { runCollect } = await import('./run-collect.js');
        return runCollect(values, positionals, cwd);
    },
});

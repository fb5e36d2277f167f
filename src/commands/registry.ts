import type { OptionTable } from '../config/option.js';
import { mergeTables } from '../config/option-catalog.js';
import type { Command } from './command.js';

/** Where a command is defined, with its line in the list of commands. Its file is loaded only when the command is used. */
interface RegisteredCommand {
    readonly about: string;
    readonly load: () => Promise<{ readonly command: Command }>;
}

/** Every command. */
export const COMMANDS = {
    run: { about: 'Run what is not finished yet (the default command)', load: () => import('./run.js') },
    init: {
        about: 'Write a small configuration and an input to begin with',
        load: () => import('./init.js'),
    },
    topics: {
        about: 'Ask a language model about topics, round after round',
        load: () => import('./topics.js'),
    },
    matrix: {
        about: 'Ask models every combination of prompts, difficulties and more',
        load: () => import('./matrix.js'),
    },
    score: {
        about: 'Score stored answers again, without asking for them again',
        load: () => import('./score.js'),
    },
    status: { about: 'Show the progress of a run, during it or after', load: () => import('./status.js') },
    report: { about: 'Show rates and lists, by sample and in total', load: () => import('./report.js') },
    view: {
        about: 'Show runs in a browser, while they go on and afterwards',
        load: () => import('./view.js'),
    },
    show: { about: 'Show one task: why it got its verdict', load: () => import('./show.js') },
    analyze: { about: 'Answer questions about results', load: () => import('./analyze.js') },
    compare: { about: 'Compare two runs on the tasks that they share', load: () => import('./compare.js') },
    migrate: { about: 'Convert the results database to Parquet or JSON', load: () => import('./migrate.js') },
    export: {
        about: 'Write the records of finished tasks as JSON lines, CSV or Parquet',
        load: () => import('./export.js'),
    },
    check: { about: 'Look for damage in a results directory', load: () => import('./check.js') },
    archive: {
        about: 'Move finished result files away; resume still knows them',
        load: () => import('./archive.js'),
    },
    database: { about: 'Maintain the results database', load: () => import('./database.js') },
    collect: { about: 'Bring results into the results database', load: () => import('./collect.js') },
    set: { about: 'Change a run while it goes on', load: () => import('./set.js') },
    doctor: {
        about: 'Show what this machine can run, and what it cannot enforce',
        load: () => import('./doctor.js'),
    },
    bench: {
        about: 'Compare the modes thread, process and async on this machine',
        load: () => import('./bench.js'),
    },
    worker: {
        about: 'Run tasks of --mode queue on this machine',
        load: () => import('./worker.js'),
    },
    workers: { about: 'List the workers of a queue', load: () => import('./workers.js') },
    endpoints: { about: 'Probe sandbox servers', load: () => import('./endpoints.js') },
} as const satisfies Readonly<Record<string, RegisteredCommand>>;

export type CommandName = keyof typeof COMMANDS;

export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[];

/** The options of every command, for what all commands share: config file, environment, run.json. */
export async function loadCatalog(): Promise<OptionTable> {
    return mergeTables((await loadCommands()).map(({ command }) => command.options));
}

/** Loads every command, to generate files from their options. */
export function loadCommands(): Promise<
    readonly { readonly name: CommandName; readonly command: Command }[]
> {
    return Promise.all(
        COMMAND_NAMES.map(async (name) => ({ name, command: (await COMMANDS[name].load()).command })),
    );
}

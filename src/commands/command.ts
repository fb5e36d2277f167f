import type { GivenOptions } from '../config/layers.js';
import type { OptionTable, StoredOptions, Values } from '../config/option.js';
import type { OptionCatalog } from '../config/option-catalog.js';
import type { Resolved } from '../config/resolve-run.js';
import type { RUN_OPTIONS } from '../config/run-options.js';
import type { ExitCode } from '../util/user-error.js';

/*
 * How commands are defined. A command's file holds its options, its help and its action, and exports it as `command`; a line in
 * registry.ts names the file. Help, completion, environment, config file, its schema and docs/options.md are derived from the
 * table of options.
 *
 * Loading a command's file must stay cheap: an action imports heavy modules (executors, pools, databases, queues, packages) when
 * it runs.
 */

/** A command as the command line uses it. */
export interface Command extends CommandHelp {
    readonly options: OptionTable;
    /** @throws UserError, WriteError */
    readonly execute: (line: CommandLineInput) => Promise<ExitCode>;
}

/** What help shows about a command, and what its command line may contain. */
export interface CommandHelp {
    /** Follows `resume-run` in the usage line: `status [options]`. */
    readonly usage: string;
    readonly about: string;
    /** Positional arguments; absent: none. The first can be a subcommand: `backup|restore`. */
    readonly arguments?: { readonly min: number; readonly max: number; readonly what: string };
    /** Whether a command of the user may follow `--`. */
    readonly takesCommand?: true;
    readonly examples: readonly Example[];
    /** The options that `-h` shows, for a command whose `--help` is a long read; absent: all options. */
    readonly common?: readonly string[];
}

export interface Example {
    readonly line: string;
    readonly about: string;
}

/** A command line, split into its parts but not interpreted. */
export interface CommandLineInput {
    readonly options: GivenOptions;
    readonly positionals: readonly string[];
    /** What followed `--`. */
    readonly command: readonly string[];
    readonly env: NodeJS.ProcessEnv;
    readonly cwd: string;
    /** The options of every command. */
    readonly catalog: OptionCatalog;
}

/** The input of an action. */
export interface ActionInput<T extends OptionTable> {
    /** Typed values, from command line, environment, config file or default. */
    readonly values: Values<T>;
    readonly positionals: readonly string[];
    /** The environment, including the variables of `.env`. */
    readonly env: NodeJS.ProcessEnv;
    readonly cwd: string;
}

/** Defines a command that runs no tasks. */
export function defineCommand<const T extends OptionTable>(
    definition: CommandHelp & {
        readonly options: T;
        readonly run: (input: ActionInput<T>) => Promise<ExitCode>;
    },
): Command {
    const { run, ...rest } = definition;
    return {
        ...rest,
        execute: async (line) => {
            const { resolveOptions } = await import('../config.js');
            const { values, env } = await resolveOptions(rest.options, line);
            return run({ values, positionals: line.positionals, env, cwd: line.cwd });
        },
    };
}

/** The input of the action of a command that runs tasks. */
export interface TaskActionInput<T extends OptionTable> {
    /** Options as typed, for actions that first have to decide how to read the others. */
    readonly given: GivenOptions;
    readonly positionals: readonly string[];
    readonly cwd: string;
    /**
     * Reads every option, including run.json of `--dir`.
     * @param datasets as the command line names them; empty: those of the environment, the config file or run.json
     * @param instead options that the command sets after it has seen the others; they count as given on the command line
     */
    readonly resolve: (datasets: readonly string[], instead?: GivenOptions) => Promise<Resolved<T>>;
}

/**
 * Defines a command that runs tasks. Its table is `{ ...RUN_OPTIONS, ...its own }`; its own options that decide verdicts or tasks
 * are kept in run.json and restored like those of every run.
 */
export function defineTaskCommand<const T extends OptionTable & typeof RUN_OPTIONS>(
    definition: CommandHelp & {
        readonly options: T;
        /** Options that the command sets, which cannot be changed: `{ executor: 'chat' }`. */
        readonly fixed?: StoredOptions;
        /** This command's defaults for options that every run has. */
        readonly presets?: StoredOptions;
        readonly run: (input: TaskActionInput<T>) => Promise<ExitCode>;
    },
): Command {
    const { run, fixed = {}, presets = {}, ...rest } = definition;
    return {
        ...rest,
        execute: ({ options, positionals, command, env, cwd, catalog }) =>
            run({
                positionals,
                cwd,
                given: options,
                resolve: async (datasets, instead = {}) => {
                    const [{ resolveRun }, { readKnownRun }] = await Promise.all([
                        import('../config.js'),
                        import('../compose/directory/known-run.js'),
                    ]);
                    const argv = { options: { ...options, ...instead }, datasets, command };
                    const input = { argv, env, cwd, catalog, fixed, presets, readRunFile: readKnownRun };
                    return resolveRun(rest.options, input);
                },
            }),
    };
}

import { withDotEnv } from './dot-env.js';
import { makeDefaultsLayer, fromCommandLine, fromEnvironment, type GivenOptions, pick } from './layers.js';
import { toEnvironmentName, type OptionTable, type Values } from './option.js';
import type { OptionCatalog } from './option-catalog.js';
import { readConfigFile } from './read-config-file.js';

/**
 * The options of a command that runs no tasks, from the command line, the environment, the config file or the default, in that
 * order.
 * @throws UserError (exit 2) for an invalid value
 */
export async function resolveOptions<T extends OptionTable>(
    table: T,
    input: {
        readonly options: GivenOptions;
        readonly env: NodeJS.ProcessEnv;
        readonly cwd: string;
        readonly catalog: OptionCatalog;
    },
): Promise<{ readonly values: Values<T>; readonly env: NodeJS.ProcessEnv }> {
    const { options, cwd, catalog } = input;
    const env = await withDotEnv(input.env, cwd);
    const file = await readConfigFile(chooseConfigPath(options, env), cwd, catalog);
    const layers = [
        fromCommandLine(table, options, cwd),
        fromEnvironment(table, env, cwd),
        { ...file.layer, values: pickForTable(table, file.layer.values, options) },
    ];
    return { values: pick(table, [...layers, makeDefaultsLayer(table, cwd)]).values, env };
}

/**
 * The values of a config file that apply to this command. The file is parsed with the options of runs: an option that has the
 * same name but can only be given on the command line is a different one (`--format` of export). `dir` is the exception: a
 * command that reads several directories reads that of the file, unless it was asked to read a database.
 */
function pickForTable(
    table: OptionTable,
    values: ReadonlyMap<string, unknown>,
    given: GivenOptions,
): ReadonlyMap<string, unknown> {
    const fitting = new Map<string, unknown>();
    for (const [name, value] of values) {
        const spec = table[name];
        if (spec === undefined) continue;
        const isLeftOut = name === 'dir' ? given['database'] !== undefined : true;
        if (spec.only === 'command line' && isLeftOut) continue;
        fitting.set(name, spec.repeatable === true && !Array.isArray(value) ? [value] : value);
    }
    return fitting;
}

/** The value of `--config`, or of its variable; null: look in the current folder. */
export function chooseConfigPath(options: GivenOptions, env: NodeJS.ProcessEnv): string | null {
    const given = options['config'] ?? env[toEnvironmentName('config')];
    return typeof given === 'string' && given !== '' ? given : null;
}

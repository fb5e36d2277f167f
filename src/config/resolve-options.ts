import { withDotEnv } from './dot-env.js';
import { defaults, fromCommandLine, fromEnvironment, type GivenOptions, pick } from './layers.js';
import { environmentName, type OptionTable, type Values } from './option.js';
import type { OptionCatalog } from './option-catalog.js';
import { readConfigFile } from './read-config-file.js';

/**
 * The options of a command that runs no tasks: command line, else environment, else config file, else default.
 * @throws UserError (exit 2) at a value that cannot be used
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
    const file = await readConfigFile(configPath(options, env), cwd, catalog);
    const layers = [fromCommandLine(table, options, cwd), fromEnvironment(table, env, cwd), file.layer];
    return { values: pick(table, [...layers, defaults(table, cwd)]).values, env };
}

/** `--config`, or its variable; null: look in the current folder. */
export function configPath(options: GivenOptions, env: NodeJS.ProcessEnv): string | null {
    const given = options['config'] ?? env[environmentName('config')];
    return typeof given === 'string' && given !== '' ? given : null;
}

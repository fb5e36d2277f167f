import { isConfigKey, type OptionSpec, type OptionTable } from './option.js';

/**
 * Loads the options of every command. A config file, the environment and run.json are shared by all commands, so each
 * command has to accept there what another one declares. Only called where a name is not among a command's own options.
 */
export type OptionCatalog = () => Promise<OptionTable>;

/** Puts the tables of several commands into one. Where they share a name, the option that a config file may hold wins. */
export function mergeTables(tables: readonly OptionTable[]): OptionTable {
    const merged = new Map<string, OptionSpec>();
    for (const [name, spec] of tables.flatMap((table) => Object.entries(table))) {
        const other = merged.get(name);
        if (other === undefined || (!isConfigKey(other) && isConfigKey(spec))) merged.set(name, spec);
    }
    return Object.fromEntries(merged);
}

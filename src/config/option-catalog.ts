import { isConfigKey, type OptionSpec, type OptionTable } from './option.js';

/**
 * Loads the options of every command. All commands share a config file, the environment and run.json, so each has to accept there
 * what another one declares. Called only if a name is not among a command's own options.
 */
export type OptionCatalog = () => Promise<OptionTable>;

/** Merges the tables of several commands. If they share a name, the option that a config file may hold takes precedence. */
export function mergeTables(tables: readonly OptionTable[]): OptionTable {
    const merged = new Map<string, OptionSpec>();
    for (const [name, spec] of tables.flatMap((table) => Object.entries(table))) {
        const other = merged.get(name);
        if (other === undefined || (!isConfigKey(other) && isConfigKey(spec))) merged.set(name, spec);
    }
    return Object.fromEntries(merged);
}

import { dirname, join, relative, resolve } from 'node:path';
import { readTextFile } from '../host/open-file.js';
import { isJsonObject, type Json, type JsonObject } from '../model/json.js';
import { UserError } from '../util/user-error.js';
import type { Layer } from './layers.js';
import type { OptionTable } from './option.js';
import type { OptionCatalog } from './option-catalog.js';
import { parseOption } from './parse-option.js';
import { readReason } from '../util/io-error.js';

/** Names that are looked for in the folder where the run is started. */
export const CONFIG_FILES = [
    'resume-run.config.json',
    'resume-run.config.yaml',
    'resume-run.config.yml',
] as const;

export interface ConfigFile {
    readonly layer: Layer;
    /** Absolute. */
    readonly datasets: readonly string[];
    /** Absolute; null if there is no file. */
    readonly path: string | null;
}

/**
 * Reads the config file. Relative paths in it are resolved against its own folder.
 * @param named the file given by `--config`; null: one of `CONFIG_FILES` in `cwd`, if there is one
 * @param catalog the known keys: the options of every command, since all share the file
 * @throws UserError that names file, line and key
 */
export async function readConfigFile(
    named: string | null,
    cwd: string,
    catalog: OptionCatalog,
): Promise<ConfigFile> {
    const found = named === null ? await find(cwd) : await read(resolve(cwd, named));
    if (found === null) {
        if (named !== null) throw new UserError(`--config: there is no file ${resolve(cwd, named)}`);
        return { layer: { source: 'config file', values: new Map() }, datasets: [], path: null };
    }
    const { path, text } = found;
    const shown = relative(cwd, path).startsWith('..') ? path : relative(cwd, path);
    // Both are loaded only if there is a config file: they cost more than the rest of a start.
    const [{ parseSource }, { checkShape }, options] = await Promise.all([
        import('./parse-config-file.js'),
        import('./config-file-schema.js'),
        catalog(),
    ]);
    const source = parseSource(text, shown);
    if (!isJsonObject(source.data)) throw new UserError(`${shown}: expected an object with options as keys`);
    checkShape(source.data, source, options);
    return {
        layer: { source: 'config file', values: readValues(source, options, dirname(path)) },
        datasets: readDatasets(source.data).map((one) => resolve(dirname(path), one)),
        path,
    };
}

interface FoundFile {
    readonly path: string;
    readonly text: string;
}

async function find(cwd: string): Promise<FoundFile | null> {
    const found: FoundFile[] = [];
    for (const name of CONFIG_FILES) {
        const one = await read(join(cwd, name));
        if (one !== null) found.push(one);
    }
    if (found.length > 1) {
        const names = found.map((one) => relative(cwd, one.path)).join(' and ');
        throw new UserError(`there are ${names}: keep one of them, or name one by --config`);
    }
    return found[0] ?? null;
}

async function read(path: string): Promise<FoundFile | null> {
    try {
        return { path, text: await readTextFile(path) };
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw new UserError(`cannot read ${path}: ${readReason(error)}`);
    }
}

/** Locates places in a config file for messages. */
export interface Locator {
    /** `resume-run.config.yaml:3`, or only the file if the line is unknown. */
    readonly at: (path: readonly PropertyKey[]) => string;
}

function readValues(
    source: Locator & { readonly data: Json },
    table: OptionTable,
    base: string,
): Map<string, unknown> {
    const values = new Map<string, unknown>();
    if (!isJsonObject(source.data)) return values;
    for (const [name, raw] of Object.entries(source.data)) {
        const spec = Object.hasOwn(table, name) ? table[name] : undefined;
        if (spec === undefined) continue;
        values.set(name, parseOption(spec, raw, { label: `${source.at([name])}: ${name}`, base }));
    }
    return values;
}

function readDatasets(data: JsonObject): readonly string[] {
    const { datasets } = data;
    if (typeof datasets === 'string') return [datasets];
    return Array.isArray(datasets) ? datasets.map(String) : [];
}

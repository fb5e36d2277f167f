import type { Json } from '../model/json.js';
import { findNearest } from '../util/nearest.js';
import { UserError } from '../util/user-error.js';
import { DEFAULT_WORD, parseDefault, parseOption } from './parse-option.js';
import {
    ENVIRONMENT_PREFIX,
    toEnvironmentName,
    isRestored,
    isVariable,
    type OptionSpec,
    type OptionTable,
    type StoredOptions,
    type ValueOrigin,
    type Values,
} from './option.js';
import type { OptionCatalog } from './option-catalog.js';

/** Where an option's value came from. */
export type Source = 'command line' | 'environment' | 'config file' | 'run.json' | 'default';

/** The values from one source, by option name, already parsed and checked. */
export interface Layer {
    readonly source: Source;
    readonly values: ReadonlyMap<string, unknown>;
}

/**
 * Options of the command line: text as typed, true/false for flags, a list if an option was repeated. The library passes typed
 * values in the same form.
 */
export type GivenOptions = Readonly<Record<string, Json | undefined>>;

/** @param labelOf how messages name an option */
export function fromCommandLine(
    table: OptionTable,
    given: GivenOptions,
    cwd: string,
    labelOf: (name: string) => string = (name) => `--${name}`,
): Layer {
    const values = new Map<string, unknown>();
    for (const [name, spec] of Object.entries(table)) {
        const raw = given[name];
        if (raw === undefined) continue;
        if (Array.isArray(raw) && raw.length === 0)
            throw new UserError(`${labelOf(name)} needs at least one value`);
        if (Array.isArray(raw) && spec.repeatable !== true) {
            throw new UserError(
                `${labelOf(name)} was given more than once (${raw.join(', ')}): give it once`,
            );
        }
        values.set(name, parseOption(spec, raw, { label: labelOf(name), base: cwd }));
    }
    return { source: 'command line', values };
}

/** Reads the environment variables of a table's options. A list is given as one value a line, or as a JSON array. */
export function fromEnvironment(table: OptionTable, env: NodeJS.ProcessEnv, cwd: string): Layer {
    const values = new Map<string, unknown>();
    for (const [name, spec] of Object.entries(table)) {
        if (!isVariable(name, spec)) continue;
        const found = findGivenVariable(name, spec, env);
        if (found === null) continue;
        const { variable, text } = found;
        const origin = { label: variable, base: cwd };
        const isList = spec.repeatable === true || spec.kind === 'command';
        values.set(name, parseOption(spec, isList ? listIn(text, origin) : text, origin));
    }
    return { source: 'environment', values };
}

/** The variable that sets an option, and its content; null if none does. */
function findGivenVariable(
    name: string,
    spec: OptionSpec,
    env: NodeJS.ProcessEnv,
): { readonly variable: string; readonly text: string } | null {
    const own = toEnvironmentName(name);
    const text = env[own];
    if (text !== undefined && text !== '') return { variable: own, text };
    const earlier = spec.variable === undefined ? undefined : env[spec.variable];
    if (spec.variable === undefined || earlier === undefined || earlier === '') return null;
    // The earlier tools ignored case.
    return { variable: spec.variable, text: spec.kind === 'choice' ? earlier.toLowerCase() : earlier };
}

/** Reads the variables of the earlier tools that hold defaults. Values in run.json take precedence over them. */
export function fromDefaultVariables(table: OptionTable, env: NodeJS.ProcessEnv, cwd: string): Layer {
    const values = new Map<string, unknown>();
    for (const [name, spec] of Object.entries(table)) {
        const variable = spec.defaultVariable;
        const text = variable === undefined ? undefined : env[variable];
        if (variable === undefined || text === undefined || text.trim() === '') continue;
        const raw = spec.repeatable === true ? splitCommaList(text) : text.trim();
        values.set(name, parseOption(spec, raw, { label: variable, base: cwd }));
    }
    return { source: 'environment', values };
}

const splitCommaList = (text: string): string[] =>
    text
        .split(/[,，\n]/)
        .map((part) => part.trim())
        .filter((part) => part !== '');

/** Puts values that the command itself sets into a layer. */
export function fromCommand(table: OptionTable, given: StoredOptions, cwd: string): Layer {
    const values = Object.entries(given).map(([name, raw]): [string, unknown] => {
        const spec = table[name];
        if (spec === undefined) throw new Error(`bug in resume-run: the command has no option ${name}`);
        return [name, parseOption(spec, raw, { label: name, base: cwd })];
    });
    return { source: 'default', values: new Map(values) };
}

/** Parses a list in a variable: a JSON array, or one value a line. */
export function listIn(text: string, origin: ValueOrigin): Json {
    if (text === DEFAULT_WORD) return text;
    if (!text.trimStart().startsWith('[')) {
        return text
            .split('\n')
            .map((line) => line.trim())
            .filter((line) => line !== '');
    }
    try {
        return JSON.parse(text) as Json;
    } catch {
        throw new UserError(`${origin.label}: expected a JSON array, or one value a line`);
    }
}

/** Reports each RESUME_RUN_ variable that no command reads, in one line: most likely it is mistyped. */
export async function findUnknownVariables(
    table: OptionTable,
    env: NodeJS.ProcessEnv,
    catalog: OptionCatalog,
): Promise<string[]> {
    const unread = (options: OptionTable): string[] => {
        const known = listVariables(options);
        return Object.keys(env).filter(
            (variable) => variable.startsWith(ENVIRONMENT_PREFIX) && !known.has(variable),
        );
    };
    if (unread(table).length === 0) return [];
    const all = await catalog();
    return unread(all).map((variable) => {
        const [name, spec] = Object.entries(all).find(([one]) => toEnvironmentName(one) === variable) ?? [];
        if (spec?.only !== undefined)
            return `${variable} is set, but '${name}' is read from the ${spec.only} only`;
        const meant = findNearest(variable, listVariables(all));
        return `${variable} is set but names no option${meant === null ? '' : `: did you mean ${meant}?`}`;
    });
}

/** Variables with our prefix that are not options: the path of the sandbox's helper program, for those who build their own. */
const OTHER_VARIABLES = ['RESUME_RUN_HELPER'];

function listVariables(options: OptionTable): ReadonlySet<string> {
    const read = Object.entries(options).filter(([name, spec]) => isVariable(name, spec));
    return new Set([
        ...read.map(([name]) => toEnvironmentName(name)),
        toEnvironmentName('datasets'),
        ...OTHER_VARIABLES,
    ]);
}

/**
 * Reads run.json, but only options that are restored.
 * @returns also, unparsed, the `foreign` options, which are not in the table but belong to another command or version
 */
export function fromRunFile(
    table: OptionTable,
    options: StoredOptions,
    file: string,
): Layer & { readonly foreign: StoredOptions } {
    const values = new Map<string, unknown>();
    const foreign: Record<string, Json> = {};
    for (const [name, raw] of Object.entries(options)) {
        const spec = Object.hasOwn(table, name) ? table[name] : undefined;
        if (spec === undefined) foreign[name] = raw;
        else if (isRestored(spec))
            values.set(name, parseOption(spec, raw, { label: `${name} in ${file}`, base: '/' }));
    }
    return { source: 'run.json', values, foreign };
}

export function makeDefaultsLayer(table: OptionTable, cwd: string): Layer {
    const values = Object.entries(table).map(([name, spec]): [string, Json] => [
        name,
        parseDefault(spec, cwd),
    ]);
    return { source: 'default', values: new Map(values) };
}

/** Takes each option from the first layer that has it; the last layer must be `defaults`, so that every option has a value. */
export function pick<T extends OptionTable>(
    table: T,
    layers: readonly Layer[],
): { readonly values: Values<T>; readonly sources: Readonly<Record<keyof T, Source>> } {
    const values: Record<string, unknown> = {};
    const sources: Record<string, Source> = {};
    for (const name of Object.keys(table)) {
        const layer = layers.find((one) => one.values.has(name));
        if (layer === undefined) throw new Error(`bug in resume-run: no layer gives the option ${name}`);
        values[name] = layer.values.get(name);
        sources[name] = layer.source;
    }
    // Every value went through `parseOption` for its kind, or is the table's own default.
    return { values: values as Values<T>, sources: sources as Record<keyof T, Source> };
}

import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../model/json.js';
import { findLiteralSecret } from '../util/secrets.js';
import { UserError } from '../util/user-error.js';
import { announceChange } from './announce-change.js';
import { buildConfig, chooseCheckpointsFolder } from './build-config.js';
import { checkTrust } from './check-trust.js';
import { withDotEnv } from './dot-env.js';
import {
    makeDefaultsLayer,
    fromCommand,
    fromCommandLine,
    fromDefaultVariables,
    fromEnvironment,
    fromRunFile,
    type GivenOptions,
    type Layer,
    listIn,
    pick,
    type Source,
    findUnknownVariables,
} from './layers.js';
import {
    toEnvironmentName,
    isRestored,
    type OptionSpec,
    type OptionTable,
    type StoredOptions,
    type Values,
} from './option.js';
import type { OptionCatalog } from './option-catalog.js';
import { formatOption, parseOption } from './parse-option.js';
import { readConfigFile } from './read-config-file.js';
import { chooseConfigPath } from './resolve-options.js';
import type { RunConfig } from './run-config.js';
import { RUN_OPTIONS } from './run-options.js';

/** A parsed command line. */
export interface CommandLine {
    readonly options: GivenOptions;
    readonly datasets: readonly string[];
    /** The words after `--`; empty if there are none. */
    readonly command: readonly string[];
    /** How messages name an option; absent: `--timeout`. */
    readonly labelOf?: (name: string) => string;
}

/** The content of run.json that decides how a run continues. */
export interface KnownRun {
    readonly options: StoredOptions;
    /** Absolute. */
    readonly datasets: readonly string[];
    /** Why users other than this one and root may have written it; null: they cannot have. */
    readonly distrust: string | null;
}

export interface ConfigInput {
    readonly argv: CommandLine;
    readonly env: NodeJS.ProcessEnv;
    readonly cwd: string;
    readonly catalog: OptionCatalog;
    /** Options that the command sets, which cannot be changed (`executor`). */
    readonly fixed?: StoredOptions;
    /** Defaults of the command that differ from those of its table. */
    readonly presets?: StoredOptions;
    /** Reads run.json in a checkpoints folder; null if there is none. */
    readonly readRunFile: (folder: string) => Promise<KnownRun | null>;
}

export interface Resolved<T extends OptionTable = typeof RUN_OPTIONS> {
    readonly config: RunConfig;
    /** Every option of the command, including its own. */
    readonly values: Values<T>;
    /** Lines to show before anything runs: changed options with their effects, likely mistakes. */
    readonly announcements: readonly string[];
    /** Where each option's value came from. */
    readonly sources: Readonly<Record<keyof T, Source>> & { readonly datasets: Source };
    /** The environment including `.env`: tokens named in the configuration are looked up here. */
    readonly env: NodeJS.ProcessEnv;
}

/**
 * The configuration of a command that runs tasks, from the command line, the environment (and `.env`), the config file, run.json
 * of this `--dir`, or the default, in that order.
 * @param table RUN_OPTIONS and the command's own options; those that decide verdicts or tasks are stored in run.json
 * @throws UserError (exit 2) for an invalid value, naming where it was given
 */
export async function resolveRun<T extends OptionTable & typeof RUN_OPTIONS>(
    table: T,
    input: ConfigInput,
): Promise<Resolved<T>> {
    const { argv, cwd, catalog } = input;
    const env = await withDotEnv(input.env, cwd);
    const commandLine = withCommand(
        fromCommandLine(table, argv.options, cwd, argv.labelOf),
        argv.command,
        cwd,
    );
    refuseFixed(input.fixed ?? {}, commandLine);
    const environment = fromEnvironment(table, env, cwd);
    const configFile = await readConfigFile(chooseConfigPath(argv.options, env), cwd, catalog);
    const given = [commandLine, environment, configFile.layer];

    const folder = describeWhereToLook(table, given, cwd);
    const runFile = join(folder, 'run.json');
    const known = await input.readRunFile(folder);
    const restored = fromRunFile(table, known?.options ?? {}, runFile);
    const others = await splitForeign(restored.foreign, catalog);

    const layers = [
        fromCommand(table, input.fixed ?? {}, cwd),
        ...given,
        restored,
        fromDefaultVariables(table, env, cwd),
        fromCommand(table, input.presets ?? {}, cwd),
        makeDefaultsLayer(table, cwd),
    ];
    const { values, sources } = pick(table, layers);
    const datasets = chooseDatasets(input, env, configFile.datasets, known);
    const stored = { ...others.known, ...pickStorable(table, values) };
    const runValues = pick(RUN_OPTIONS, layers);
    const trusted = checkTrust(runValues.values, runValues.sources, {
        runFile,
        distrust: known?.distrust ?? null,
    });
    const config = buildConfig(runValues, { cwd, datasets: datasets.value, stored });
    return {
        config,
        values,
        announcements: [
            ...trusted,
            ...warnOfSecrets(runValues.values.command),
            ...(await findUnknownVariables(table, env, catalog)),
            ...others.unknown.map(
                (name) => `${runFile}: this version does not know the option '${name}' and ignores it`,
            ),
            ...findChanges(table, values, sources, restored),
        ],
        sources: { ...sources, datasets: datasets.source },
        env,
    };
}

/** @throws UserError if the command line gives an option that the command itself sets */
function refuseFixed(fixed: StoredOptions, commandLine: Layer): void {
    for (const [name, value] of Object.entries(fixed)) {
        if (!commandLine.values.has(name) || isDeepStrictEqual(commandLine.values.get(name), value)) continue;
        throw new UserError(
            `--${name} cannot be changed for this command, which always uses ${JSON.stringify(value)}`,
        );
    }
}

function warnOfSecrets(command: readonly string[] | null): string[] {
    const found = command === null ? null : findLiteralSecret(command);
    if (found === null) return [];
    return [
        `the command seems to contain ${found}, which run.json would store and other users could see in the process list; ` +
            'use {env:NAME} instead and set NAME',
    ];
}

/** `resolveRun` for the options that every run has. */
export function resolveConfig(input: ConfigInput): Promise<Resolved> {
    return resolveRun(RUN_OPTIONS, input);
}

/**
 * What run.json stores: every restored option, including defaults, so that a changed default of another version has no effect.
 * Without secrets.
 */
function pickStorable<T extends OptionTable>(table: T, values: Values<T>): StoredOptions {
    const kept: Record<string, Json> = {};
    for (const [name, spec] of Object.entries<OptionSpec>(table)) {
        if (isRestored(spec)) kept[name] = formatOption(spec, values[name]);
    }
    return kept;
}

/** Options in run.json that this command does not have: those of another command are kept unchanged. */
async function splitForeign(
    foreign: StoredOptions,
    catalog: OptionCatalog,
): Promise<{ readonly known: StoredOptions; readonly unknown: readonly string[] }> {
    const names = Object.keys(foreign);
    if (names.length === 0) return { known: {}, unknown: [] };
    const all = await catalog();
    return {
        known: Object.fromEntries(Object.entries(foreign).filter(([name]) => Object.hasOwn(all, name))),
        unknown: names.filter((name) => !Object.hasOwn(all, name)),
    };
}

function withCommand(layer: Layer, command: readonly string[], cwd: string): Layer {
    if (command.length === 0) return layer;
    const parsed = parseOption(RUN_OPTIONS.command, command, { label: 'the command after --', base: cwd });
    return { source: layer.source, values: new Map([...layer.values, ['command', parsed]]) };
}

/** The checkpoints folder, which must be known before run.json is read; so none of the options that choose it are restored. */
function describeWhereToLook(table: OptionTable, given: readonly Layer[], cwd: string): string {
    const { values } = pick({ dir: RUN_OPTIONS.dir, checkpoints: RUN_OPTIONS.checkpoints }, [
        ...given,
        makeDefaultsLayer(table, cwd),
    ]);
    return chooseCheckpointsFolder(values.dir, values.checkpoints);
}

function chooseDatasets(
    { argv, cwd }: ConfigInput,
    env: NodeJS.ProcessEnv,
    fromFile: readonly string[],
    known: KnownRun | null,
): { value: readonly string[]; source: Source } {
    const absolute = (paths: readonly string[]): string[] =>
        paths.map((path) => (path === '-' ? '/dev/stdin' : resolve(cwd, path)));
    if (argv.datasets.length > 0) return { value: absolute(argv.datasets), source: 'command line' };
    const variable = toEnvironmentName('datasets');
    const text = env[variable];
    if (text !== undefined && text !== '') {
        const listed = listIn(text, { label: variable, base: cwd });
        if (Array.isArray(listed)) return { value: absolute(listed.map(String)), source: 'environment' };
    }
    if (fromFile.length > 0) return { value: fromFile, source: 'config file' };
    if (known !== null && known.datasets.length > 0) return { value: known.datasets, source: 'run.json' };
    return { value: [], source: 'default' };
}

/** Options given for this start that differ from those with which the results were made. */
function findChanges<T extends OptionTable>(
    table: T,
    values: Values<T>,
    sources: Readonly<Record<keyof T, Source>>,
    restored: Layer,
): string[] {
    const lines: string[] = [];
    for (const [name, spec] of Object.entries<OptionSpec>(table)) {
        if (!isRestored(spec) || !restored.values.has(name)) continue;
        const before = formatOption(spec, restored.values.get(name) ?? null);
        const now = formatOption(spec, values[name]);
        if (isDeepStrictEqual(now, before)) continue;
        lines.push(announceChange(name, spec, { now, before, source: sources[name] ?? 'default' }));
    }
    return lines;
}

import { basename, dirname, resolve } from 'node:path';
import { z } from 'zod';
import { readTextFile } from '../host/open-file.js';
import type { Coordinate, MatrixBlock } from '../model/matrix.js';
import type { PromptTemplates } from '../model/matrix-file.js';
import { findNearest } from '../util/nearest.js';
import { UserError } from '../util/user-error.js';
import { parseSource } from './parse-config-file.js';
import { parseInstances } from './values/instances.js';
import { readReason } from '../util/io-error.js';

/*
 * Settings of `resume-run matrix`: a config file (`--test-config`) and flags, which take precedence, become products of
 * dimensions (blocks).
 */

/** Words that stand for several values of a dimension, by dimension. `names` in a config file adds to them. */
export type NameTable = Readonly<Record<string, Readonly<Record<string, readonly Coordinate[]>>>>;

const PROMPT_TYPES = ['baseline', 'cot', 'optimal'];
const FLAWED = [
    'sequence_disorder',
    'tool_misuse',
    'parameter_error',
    'missing_step',
    'redundant_operations',
    'logical_inconsistency',
    'semantic_drift',
].map((flaw) => `flawed_${flaw}`);

/** The words of the earlier tools. */
const USUAL_NAMES: NameTable = {
    prompt_type: {
        all: PROMPT_TYPES,
        flawed: FLAWED,
        all_with_flawed: [...PROMPT_TYPES, ...FLAWED],
    },
    difficulty: { all: ['very_easy', 'easy', 'medium', 'hard', 'very_hard'] },
    task_type: {
        all: ['simple_task', 'basic_task', 'data_pipeline', 'api_integration', 'multi_stage_pipeline'],
    },
};

/** Dimensions by the config keys that set them. */
const DIMENSION_KEYS = {
    models: 'model',
    prompt_types: 'prompt_type',
    tool_success_rate: 'tool_success_rate',
    difficulty: 'difficulty',
    task_types: 'task_type',
} as const;

type DimensionKey = keyof typeof DIMENSION_KEYS;

const coordinate = z.union([z.string().min(1), z.number(), z.boolean()]);
const values = z.union([coordinate, z.array(coordinate).min(1)]);

const part = {
    models: values.optional(),
    prompt_types: values.optional(),
    tool_success_rate: values.optional(),
    difficulty: values.optional(),
    task_types: values.optional(),
    dimensions: z.record(z.string().min(1), values).optional(),
    num_instances: z.union([z.int().min(1), z.string()]).optional(),
};

const template = z.union([
    z.string(),
    z.strictObject({
        template: z.string().optional(),
        template_file: z.string().min(1).optional(),
        system: z.string().optional(),
        system_file: z.string().min(1).optional(),
    }),
]);

const configShape = z.strictObject({
    ...part,
    rows: z.union([z.string().min(1), z.array(z.string().min(1))]).optional(),
    prompts: z.record(z.string().min(1), template).optional(),
    names: z.record(z.string(), z.record(z.string(), z.array(coordinate).min(1))).optional(),
    phases: z
        .array(
            z.strictObject({
                name: z.union([z.string().min(1), z.number()]),
                title: z.string().optional(),
                ...part,
            }),
        )
        .min(1)
        .optional(),
});

type MatrixPart = Pick<z.infer<typeof configShape>, keyof typeof part>;

/** Settings of the command line, which take precedence over the config file in every phase. */
export interface MatrixFlags {
    readonly models: readonly string[];
    readonly promptTypes: readonly string[];
    readonly toolSuccessRate: readonly string[];
    readonly difficulty: readonly string[];
    readonly taskTypes: readonly string[];
    readonly numInstances: string | null;
    /** `name=a,b` */
    readonly dimensions: readonly string[];
    /** Absolute. */
    readonly rows: readonly string[];
}

/** A phase, as tables show it. */
export interface MatrixPhase {
    readonly name: string;
    readonly title: string | null;
}

export interface MatrixConfig {
    /** In order; a block that belongs to a phase has its name. */
    readonly blocks: readonly MatrixBlock[];
    /** Empty if there are none. */
    readonly phases: readonly MatrixPhase[];
    /** Files of rows. Absolute. */
    readonly rows: readonly string[];
    readonly prompts: Readonly<Record<string, PromptTemplates>>;
}

/** Default number of instances of a cell. */
const DEFAULT_INSTANCES = 20;

/**
 * @param path absolute path of the config file; null: none
 * @throws UserError that names file, line and key, or the flag
 */
export async function readMatrixConfig(path: string | null, flags: MatrixFlags): Promise<MatrixConfig> {
    const { data, at } = path === null ? { data: {}, at: () => '' } : await readShape(path);
    const folder = path === null ? '' : dirname(path);
    const { rows = [], prompts = {}, names = {}, phases = [], ...common } = data;
    const words = mergeNames(names);
    const given = readPartOfFlags(flags);
    const own = typeof rows === 'string' ? [rows] : rows;
    const base = {
        rows: flags.rows.length > 0 ? flags.rows : own.map((one) => resolve(folder, one)),
        prompts: await readPrompts(prompts, folder),
    };
    if (phases.length === 0) {
        return { ...base, phases: [], blocks: [readBlock([given, common], words, null, at([]))] };
    }
    const blocks = phases.map((phase, position) =>
        readBlock([given, phase, common], words, String(phase.name), at(['phases', position])),
    );
    const twice = blocks.find(
        ({ phase }, position) => blocks.findIndex((one) => one.phase === phase) !== position,
    );
    if (twice !== undefined) throw new UserError(`${at(['phases'])}: two phases are named ${twice.phase}`);
    return {
        ...base,
        phases: phases.map(({ name, title }) => ({ name: String(name), title: title ?? null })),
        blocks,
    };
}

/** The blocks of the given phases, or all blocks if none is given. @throws UserError for an unknown phase */
export function choosePhases(config: MatrixConfig, names: readonly string[]): readonly MatrixBlock[] {
    const known = config.phases.map(({ name }) => name);
    for (const name of names) {
        if (known.includes(name)) continue;
        const expected =
            known.length === 0 ? 'the configuration has no phases' : `expected one of ${known.join(', ')}`;
        throw new UserError(`--phase ${name}: ${expected}`);
    }
    return names.length === 0
        ? config.blocks
        : config.blocks.filter(({ phase }) => phase !== null && names.includes(phase));
}

interface ReadShape {
    readonly data: z.infer<typeof configShape>;
    readonly at: (path: readonly PropertyKey[]) => string;
}

async function readShape(path: string): Promise<ReadShape> {
    const shown = basename(path);
    const { data, at } = parseSource(await readText(path), shown);
    const parsed = configShape.safeParse(data);
    if (parsed.success) return { data: parsed.data, at };
    const [issue] = parsed.error.issues;
    const place = at(issue?.path ?? []);
    if (issue?.code === 'unrecognized_keys') {
        const [key = ''] = issue.keys;
        const keys = Object.keys(
            issue.path[0] === 'phases' ? { name: 0, title: 0, ...part } : configShape.shape,
        );
        const meant = findNearest(key, keys);
        throw new UserError(
            `${at([...issue.path, key])}: there is no '${key}'${meant === null ? `; expected ${keys.join(', ')}` : ` (did you mean '${meant}'?)`}`,
        );
    }
    throw new UserError(`${place}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a matrix'}`);
}

async function readText(path: string): Promise<string> {
    try {
        return await readTextFile(path);
    } catch (error) {
        throw new UserError(`--test-config: cannot read ${path}: ${readReason(error)}`);
    }
}

function mergeNames(own: NameTable): NameTable {
    const merged: Record<string, NameTable[string]> = { ...USUAL_NAMES };
    for (const [key, words] of Object.entries(own)) {
        const dimension = Object.hasOwn(DIMENSION_KEYS, key) ? DIMENSION_KEYS[key as DimensionKey] : key;
        merged[dimension] = { ...merged[dimension], ...words };
    }
    return merged;
}

function readPartOfFlags(flags: MatrixFlags): MatrixPart {
    const list = (texts: readonly string[]): string[] =>
        texts
            .flatMap((text) => text.split(','))
            .map((text) => text.trim())
            .filter((text) => text !== '');
    const named = (key: DimensionKey, texts: readonly string[]): MatrixPart =>
        texts.length === 0 ? {} : { [key]: list(texts) };
    const dimensions = Object.fromEntries(
        flags.dimensions.map((text) => {
            const [name = '', ...rest] = text.split('=');
            const found = list([rest.join('=')]);
            if (name === '' || found.length === 0) {
                throw new UserError(`--dimension: expected name=value,value, got ${JSON.stringify(text)}`);
            }
            return [name, found.map(parsePlainValue)];
        }),
    );
    return {
        ...named('models', flags.models),
        ...named('prompt_types', flags.promptTypes),
        ...named('tool_success_rate', flags.toolSuccessRate),
        ...named('difficulty', flags.difficulty),
        ...named('task_types', flags.taskTypes),
        ...(flags.dimensions.length === 0 ? {} : { dimensions }),
        ...(flags.numInstances === null ? {} : { num_instances: flags.numInstances }),
    };
}

/**
 * Converts `0.5` and `true` on a command line to a number and a boolean. A number that would be printed differently stays text,
 * so that versions 1.1 and 1.10, or seeds of 64 bits, remain different cells.
 */
function parsePlainValue(text: string): Coordinate {
    if (text === 'true' || text === 'false') return text === 'true';
    return /^-?\d+(\.\d+)?$/.test(text) && String(Number(text)) === text ? Number(text) : text;
}

/** @param parts the first part with a key decides; within `dimensions` each name counts as a key */
function readBlock(
    parts: readonly MatrixPart[],
    words: NameTable,
    phase: string | null,
    place: string,
): MatrixBlock {
    const dimensions: Record<string, readonly Coordinate[]> = {};
    for (const [key, name] of Object.entries(DIMENSION_KEYS) as [DimensionKey, string][]) {
        const given = parts.find((one) => one[key] !== undefined)?.[key];
        if (given !== undefined) dimensions[name] = expand(name, given, words);
    }
    for (const one of parts.toReversed()) {
        for (const [name, given] of Object.entries(one.dimensions ?? {}))
            dimensions[name] = expand(name, given, words);
    }
    if (Object.keys(dimensions).length === 0) {
        throw new UserError(
            `${place === '' ? '' : `${place}: `}no dimension is given: name --models and, if you like, --prompt-types, --difficulty, ` +
                '--task-types, --tool-success-rate or --dimension name=values, or a file by --test-config',
        );
    }
    const counted = parts.find((one) => one.num_instances !== undefined)?.num_instances ?? DEFAULT_INSTANCES;
    return {
        phase,
        dimensions,
        ...parseInstances(counted, place === '' ? '--num-instances' : `${place}: num_instances`),
    };
}

function expand(
    name: string,
    given: Coordinate | readonly Coordinate[],
    words: NameTable,
): readonly Coordinate[] {
    const list = typeof given === 'object' ? given : [given];
    const known = words[name] ?? {};
    const found = list.flatMap((value) =>
        typeof value === 'string' && Object.hasOwn(known, value) ? (known[value] ?? []) : [value],
    );
    return [...new Set(name === 'tool_success_rate' ? found.map(readRate) : found)];
}

/** Reads a rate as a fraction with 4 decimal places: earlier configurations have 0.8, 1.0 or 80 (per cent). */
function readRate(value: Coordinate): number {
    const number = typeof value === 'boolean' ? Number.NaN : Number(value);
    if (!(number >= 0 && number <= 100)) {
        throw new UserError(`tool_success_rate ${String(value)}: expected a number from 0 to 1, such as 0.8`);
    }
    return Number((number > 1 ? number / 100 : number).toFixed(4));
}

async function readPrompts(
    prompts: NonNullable<z.infer<typeof configShape>['prompts']>,
    folder: string,
): Promise<Record<string, PromptTemplates>> {
    const read: Record<string, PromptTemplates> = {};
    for (const [name, given] of Object.entries(prompts)) {
        const one = typeof given === 'string' ? { template: given } : given;
        read[name] = {
            template: one.template ?? (await loadText(one.template_file, folder)),
            system: one.system ?? (await loadText(one.system_file, folder)),
        };
    }
    return read;
}

async function loadText(file: string | undefined, folder: string): Promise<string | null> {
    if (file === undefined) return null;
    const path = resolve(folder, file);
    try {
        return await readTextFile(path);
    } catch (error) {
        throw new UserError(`${path}: the prompt cannot be read (${readReason(error)})`);
    }
}

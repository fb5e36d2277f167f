import { z } from 'zod';
import type { JsonObject } from '../model/json.js';
import { findNearest } from '../util/nearest.js';
import { unreachable } from '../util/unreachable.js';
import { UserError } from '../util/user-error.js';
import { isConfigKey, type OptionSpec, type OptionTable } from './option.js';
import type { Locator } from './read-config-file.js';

const endpointObject = z.strictObject({
    url: z.string(),
    concurrency: z.int().min(1).optional(),
    rate: z.number().positive().optional().describe('Requests a second'),
    token: z
        .union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })])
        .optional()
        .describe('Where the token is: an environment variable or a file; never the token itself'),
    headers: z.record(z.string(), z.string()).optional(),
    account: z
        .string()
        .min(1)
        .optional()
        .describe('Endpoints of one account share their limits; by default those with the same key'),
    'requests-per-minute': z.number().positive().optional(),
    'tokens-per-minute': z.number().positive().optional(),
    deployments: z
        .record(z.string(), z.string().min(1))
        .optional()
        .describe('By model: the name of its deployment at this endpoint, which then serves no other model'),
    'api-version': z
        .string()
        .regex(/^[\w.-]+$/)
        .optional(),
});

const language = z.strictObject({
    compile: z.array(z.string()).min(1).optional(),
    run: z.array(z.string()).min(1).optional(),
    extensions: z.array(z.string()).optional(),
    source: z.string().min(1).optional(),
});

/** The shape of a config file. Validating the text of values is left to parse-option.ts. */
function buildSchema(options: OptionTable) {
    return z.strictObject({
        $schema: z.string().optional(),
        datasets: z
            .union([z.string(), z.array(z.string())])
            .optional()
            .describe("Files, folders or globs, relative to the config file's folder"),
        ...makeOptionShapes(options),
    });
}

function makeOptionShapes(table: OptionTable): Record<string, z.ZodType> {
    const shapes = Object.entries(table)
        .filter(([, spec]) => isConfigKey(spec))
        .map(([name, spec]): [string, z.ZodType] => [name, buildShape(spec).optional().describe(spec.about)]);
    return Object.fromEntries(shapes);
}

function buildShape(spec: OptionSpec): z.ZodType {
    const one = makeOptionShape(spec);
    return spec.repeatable === true ? z.union([one, z.array(one)]) : one;
}

function makeOptionShape(spec: OptionSpec): z.ZodType {
    switch (spec.kind) {
        case 'flag':
            return z.boolean();
        case 'integer':
            return boundNumber(z.int(), spec);
        case 'seconds':
        case 'factor':
        case 'mebibytes':
            return boundNumber(z.number(), spec);
        case 'choice':
            return z.enum([...(spec.choices ?? []), ...Object.keys(spec.synonyms ?? {})]);
        case 'text':
        case 'path':
            return z.string().min(1);
        case 'parsed':
            return spec.parser?.shape === 'endpoint'
                ? z.union([z.string(), endpointObject])
                : z.string().min(1);
        case 'command':
            return z.array(z.string()).min(1);
        case 'languages':
            return z.record(z.string(), language);
        default:
            return unreachable(spec.kind, 'kind of option');
    }
}

function boundNumber(number: z.ZodNumber, spec: OptionSpec): z.ZodNumber {
    const above = spec.min === undefined ? number : number.min(spec.min);
    return spec.max === undefined ? above : above.max(spec.max);
}

/** The committed `resume-run.config.schema.json`, with which editors complete and check config files. */
export function buildConfigJsonSchema(options: OptionTable): object {
    const schema = z.toJSONSchema(buildSchema(options), { target: 'draft-7' });
    return { ...schema, title: 'Config file of resume-run' };
}

/** @throws UserError that names file, line, key and what was expected */
export function checkShape(data: JsonObject, source: Locator, options: OptionTable): void {
    const checked = buildSchema(options).safeParse(data);
    const issue = checked.error?.issues[0];
    if (issue !== undefined) throw new UserError(explain(issue, source, options));
}

type Issue = z.core.$ZodIssue;

function explain(issue: Issue, source: Locator, options: OptionTable): string {
    if (issue.code === 'unrecognized_keys') {
        const key = issue.keys[0] ?? '';
        if (issue.path.length === 0 && Object.hasOwn(options, key)) {
            return `${source.at([key])}: '${key}' can be given on the command line only`;
        }
        const known = Object.keys(buildSchema(options).shape);
        const meant = issue.path.length === 0 ? findNearest(key, known) : null;
        const hint = meant === null ? '' : ` (did you mean ${meant}?)`;
        return `${source.at([...issue.path, key])}: unknown key '${[...issue.path, key].join('.')}'${hint}`;
    }
    const at = `${source.at(issue.path)}: ${issue.path.join('.')}`;
    if (issue.code === 'invalid_union') {
        const expected = issue.errors.flat().map((one) => dropPrefix(one.message));
        return `${at}: ${[...new Set(expected)].join(', or ')}`;
    }
    return `${at}: ${dropPrefix(issue.message)}`;
}

const dropPrefix = (message: string): string => message.replace(/^(Invalid input|Invalid option): /, '');

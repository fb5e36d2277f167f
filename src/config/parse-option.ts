import { resolve } from 'node:path';
import { isJsonObject, type Json } from '../model/json.js';
import { findNearest } from '../util/nearest.js';
import { unreachable } from '../util/unreachable.js';
import { UserError } from '../util/user-error.js';
import type { OptionSpec, ValueOrigin } from './option.js';
import { parseText, makeValueError } from './value-error.js';

/** The word that selects an option's default, whatever run.json holds: `--checker default`. */
export const DEFAULT_WORD = 'default';

/**
 * Parses an option's value, from text (command line, environment) or JSON (config file, run.json), into the type that `Values`
 * declares; paths become absolute. This is the only place that parses it.
 * @throws UserError that names the origin, what was expected and what was given
 */
export function parseOption(spec: OptionSpec, raw: Json, origin: ValueOrigin): unknown {
    if (raw === null || raw === DEFAULT_WORD) return parseDefault(spec, origin.base);
    if (spec.repeatable !== true) return parseOne(spec, raw, origin);
    const list = Array.isArray(raw) ? (raw as readonly Json[]) : [raw];
    return list.map((one) => parseOne(spec, one, origin));
}

/** A value as JSON, as run.json stores it and messages show it. `parseOption` reads it back to an equal value. */
export function formatOption(spec: OptionSpec, value: unknown): Json {
    const { parser } = spec;
    // Values of all other kinds are JSON already.
    if (parser === undefined || value === null) return value as Json;
    return Array.isArray(value) ? value.map((one) => parser.format(one)) : parser.format(value);
}

/** An option's default. A path is relative to the folder where the command is started. */
export function parseDefault(spec: OptionSpec, cwd: string): Json {
    return spec.kind === 'path' && typeof spec.default === 'string'
        ? resolve(cwd, spec.default)
        : spec.default;
}

function parseOne(spec: OptionSpec, raw: Json, origin: ValueOrigin): unknown {
    switch (spec.kind) {
        case 'flag':
            return parseFlag(raw, origin);
        case 'text':
            return parseText(raw, origin);
        case 'path':
            return resolve(origin.base, parseText(raw, origin));
        case 'choice':
            return parseChoice(spec, raw, origin);
        case 'integer':
            return parseNumber(spec, raw, origin, 'a whole number', /^\d{1,15}$/);
        case 'seconds':
            return parseNumber(spec, raw, origin, 'seconds, such as 20 or 1.5', DECIMAL);
        case 'factor':
            return parseNumber(spec, raw, origin, 'a number, such as 2 or 1.5', DECIMAL);
        case 'mebibytes':
            return parseNumber(spec, raw, origin, 'MiB, such as 512', DECIMAL);
        case 'command':
            return parseCommand(raw, origin);
        case 'languages':
            if (isJsonObject(raw)) return raw;
            throw makeValueError(origin, 'an object of languages', raw);
        case 'parsed':
            if (spec.parser === undefined) throw new Error('bug in resume-run: an option without its parser');
            return spec.parser.parse(raw, origin);
        default:
            return unreachable(spec.kind, 'kind of option');
    }
}

const DECIMAL = /^(\d{1,15}(\.\d*)?|\.\d+)$/;

function parseFlag(raw: Json, origin: ValueOrigin): boolean {
    if (typeof raw === 'boolean') return raw;
    const word = typeof raw === 'string' ? raw.toLowerCase() : '';
    if (YES.has(word)) return true;
    if (NO.has(word)) return false;
    throw makeValueError(origin, 'true or false', raw);
}

const YES: ReadonlySet<string> = new Set(['true', '1', 'yes', 'on']);
const NO: ReadonlySet<string> = new Set(['false', '0', 'no', 'off']);

function parseChoice({ choices = [], synonyms = {} }: OptionSpec, raw: Json, origin: ValueOrigin): string {
    if (typeof raw === 'string' && choices.includes(raw)) return raw;
    const synonym = typeof raw === 'string' && Object.hasOwn(synonyms, raw) ? synonyms[raw] : undefined;
    if (synonym !== undefined) return synonym;
    const meant = typeof raw === 'string' ? findNearest(raw, choices) : null;
    const error = makeValueError(origin, `one of ${choices.join(', ')}`, raw);
    throw meant === null ? error : new UserError(`${error.message} (did you mean ${meant}?)`);
}

function parseNumber(
    spec: OptionSpec,
    raw: Json,
    origin: ValueOrigin,
    expected: string,
    form: RegExp,
): number {
    const value =
        typeof raw === 'number'
            ? raw
            : typeof raw === 'string' && form.test(raw.trim())
              ? Number(raw)
              : Number.NaN;
    if (!Number.isFinite(value) || (spec.kind === 'integer' && !Number.isSafeInteger(value))) {
        throw makeValueError(origin, expected, raw);
    }
    const { min = 0, max = Number.MAX_SAFE_INTEGER } = spec;
    if (value < min) throw makeValueError(origin, `at least ${min}`, raw);
    if (value > max) throw makeValueError(origin, `at most ${max}`, raw);
    // Adding 0 turns -0, which run.json could not hold, into 0.
    return value + 0;
}

function parseCommand(raw: Json, origin: ValueOrigin): readonly string[] {
    const isText = (one: Json): one is string => typeof one === 'string' && !one.includes('\0');
    if (Array.isArray(raw) && raw.length > 0 && raw[0] !== '' && (raw as readonly Json[]).every(isText)) {
        return raw as readonly string[];
    }
    throw makeValueError(origin, 'a list of texts: the command and its arguments', raw);
}

import type { Field } from '../field.js';
import { toLanguageTag } from '../language-tags.js';
import { readFlags } from './flags.js';

/** What problem.yaml says about judging, in the legacy format or 2025-09 (and its drafts). */
export interface ProblemSettings {
    /** True for every version after the legacy format. */
    readonly modern: boolean;
    /** How its submissions are scored; null: they get no scores. */
    readonly scoring: ScoringSettings | null;
    /** Whether the output validator talks to the submission. */
    readonly interactive: boolean;
    /** Most passes of a multi-pass problem; null for any other problem. */
    readonly passes: number | null;
    /** Submissions may be answers instead of programs. */
    readonly submitsAnswers: boolean;
    /** Seconds. */
    readonly timeLimit: number | null;
    /** If no limit is given, it is this many times the slowest accepted submission's time. */
    readonly timeMultiplier: number;
    /** Seconds; a computed limit is a multiple of this. */
    readonly timeResolution: number;
    /** Bytes. */
    readonly memory: number | null;
    readonly output: number | null;
    /** Seconds, bytes. */
    readonly validationTime: number;
    readonly validationMemory: number | null;
    readonly validationOutput: number | null;
    /** Whether a legacy package declares its own validator; null: the folder decides. */
    readonly customValidator: boolean | null;
    readonly validatorFlags: readonly string[];
    /** Language tags that submissions may use; null: all. */
    readonly languages: readonly string[] | null;
    /** `{{name}}` in programs is replaced by its value. */
    readonly constants: ReadonlyMap<string, string>;
    /** Authorship keys that still hold the template's TODO. */
    readonly todo: readonly string[];
}

export interface ScoringSettings {
    /** `grading`: an objective and, in older packages, settings for all groups. */
    readonly grading: Field;
    /** Whether validators may assign scores. */
    readonly validatorScores: boolean;
}

const MIB = 1024 * 1024;
const DEFAULT_VALIDATION_TIME = 60;
const DEFAULT_PASSES = 2;

/**
 * @param asWritten the same file with every value as its text, for constants
 * @throws UserError naming the invalid key
 */
export function readProblemYaml(yaml: Field, asWritten: Field): ProblemSettings {
    const version = yaml.get('problem_format_version');
    const modern = version.present && !version.string().startsWith('legacy');
    const limits = yaml.get('limits');
    const words = [...splitWords(yaml.get('type')), ...splitWords(yaml.get('validation'))];
    return {
        modern,
        scoring:
            words.includes('scoring') || words.includes('score')
                ? { grading: yaml.get('grading'), validatorScores: modern || words.includes('score') }
                : null,
        interactive: words.includes('interactive'),
        passes: words.includes('multi-pass') ? readPasses(limits.get('validation_passes')) : null,
        submitsAnswers: words.includes('submit-answer'),
        timeLimit: positive(limits.get('time_limit')),
        timeMultiplier: readMultiplier(limits, modern),
        timeResolution: positive(limits.get('time_resolution')) ?? 1,
        memory: times(positive(limits.get('memory')), MIB),
        output: times(positive(limits.get('output')), MIB),
        validationTime: positive(limits.get('validation_time')) ?? DEFAULT_VALIDATION_TIME,
        validationMemory: times(positive(limits.get('validation_memory')), MIB),
        validationOutput: times(positive(limits.get('validation_output')), MIB),
        customValidator: modern ? null : words.includes('custom'),
        validatorFlags: readFlags(yaml.get('validator_flags')) ?? [],
        languages: readLanguages(yaml.get('languages')),
        constants: readConstants(asWritten.get('constants')),
        todo: ['credits', 'author', 'rights_owner'].filter((key) => yaml.get(key).value === 'TODO'),
    };
}

/** Words separated by white space, or a list of words. */
function splitWords(field: Field): string[] {
    if (!field.present) return [];
    const texts = Array.isArray(field.value) ? field.strings() : [field.string()];
    return texts.flatMap((text) => text.split(/\s+/)).filter((word) => word !== '');
}

function readPasses(field: Field): number {
    const passes = positive(field) ?? DEFAULT_PASSES;
    return Number.isInteger(passes) ? passes : field.fail('a whole number');
}

/** 2025-09 has `time_multipliers.ac_to_time_limit`, its first draft a number; legacy packages have `time_multiplier`. */
function readMultiplier(limits: Field, modern: boolean): number {
    const modernKey = limits.get('time_multipliers').get('ac_to_time_limit');
    const named = positive(modern && modernKey.present ? modernKey : limits.get('time_multiplier'));
    return named ?? (modern ? 2 : 5);
}

function positive(field: Field): number | null {
    if (!field.present) return null;
    const value = field.number();
    return value > 0 ? value : field.fail('a number above 0');
}

const times = (value: number | null, unit: number): number | null =>
    value === null ? null : Math.floor(value * unit);

/** A string (words, or `all`) or a list. C++ and Java with additional libraries count as C++ and Java. */
function readLanguages(field: Field): readonly string[] | null {
    const codes = splitWords(field).map((code) => code.replace(/,$/, ''));
    if (codes.length === 0 || codes.includes('all')) return null;
    return codes.map((code) => toLanguageTag(code.replace(/(gmp|algs4|numpy)$/, '')));
}

/** A constant may have several representations, given as a map: `{{name.WAY}}`; `{{name}}` is `{{name.value}}`. */
function readConstants(field: Field): ReadonlyMap<string, string> {
    if (!field.present) return new Map();
    return new Map(
        field.entries().flatMap(([name, constant]) => {
            const ways =
                typeof constant.value === 'object' ? constant.entries() : [['value', constant] as const];
            return ways.flatMap(([way, value]) => {
                const text = value.string();
                const named = [`${name}.${way}`, text] as const;
                return way === 'value' ? [named, [name, text] as const] : [named];
            });
        }),
    );
}

/**
 * Programs of a DOMjudge installation that domjudge-problem.ini names in place of the default ones; they are not part of the
 * package. Source: `special_compare` and `special_run` of DOMjudge's problem format. Null: none.
 */
export function readSpecialPrograms(text: string): string | null {
    const named = [...text.matchAll(/^[ \t]*special_(compare|run)[ \t]*=[ \t]*["']?([^"'\r\n]*)/gm)]
        .map(([, kind = '', name = '']) => ({ kind, name: name.trim() }))
        .filter(({ kind, name }) => name !== '' && name !== kind);
    return named.length === 0
        ? null
        : named.map(({ kind, name }) => `special_${kind} ${JSON.stringify(name.slice(0, 80))}`).join(' and ');
}

/** Seconds from `.timelimit` or domjudge-problem.ini; null if the file gives none. */
export function readTimeLimitText(text: string): number | null {
    const [, named] = /^[ \t]*timelimit[ \t]*=[ \t]*["']?([\d.]+)/m.exec(text) ?? [];
    const seconds = Number(named ?? text.trim());
    return text.trim() !== '' && Number.isFinite(seconds) && seconds > 0 ? seconds : null;
}

import { runInNewContext } from 'node:vm';
import { unreachable } from '../util/unreachable.js';
import { UserError } from '../util/user-error.js';

/** How an answer is compared with an expected text, synchronously and without help from outside. */
export type TextScorer =
    /** The same text, ignoring white space at the ends and letter case. */
    | { readonly kind: 'exact' }
    /** The expected text occurs in the answer, ignoring letter case. */
    | { readonly kind: 'contains' }
    /** The expected text is a regular expression (JavaScript's, `u` flag) that matches somewhere in the answer. */
    | { readonly kind: 'regex' }
    /** The last number of the answer is within `tolerance` of the expected one, absolutely or relatively. */
    | { readonly kind: 'numeric'; readonly tolerance: number };

/** How an answer is scored: a kind and, for some, its setting. */
export type Scorer =
    | TextScorer
    /** The JSON in the answer is valid by the schema in a file; null: the expected text is the schema. */
    | { readonly kind: 'json-schema'; readonly file: string | null }
    /** The score that a function returns: see executor/chat/scoring/module-scorer.ts. `exportName` null: the default export. */
    | { readonly kind: 'module'; readonly file: string; readonly exportName: string | null }
    /** The score that another model gives. */
    | { readonly kind: 'model'; readonly model: string }
    /** The program in the answer passes the row's tests. `language` null: that of the answer's code block. */
    | { readonly kind: 'code'; readonly language: string | null }
    /** The row's prompt and test, completed by the answer, are a Python program that runs to its end. */
    | { readonly kind: 'humaneval' };

export const SCORER_FORMS =
    'exact, contains, regex, numeric[:<tolerance>], json-schema[:<file>], module:<file[#export]>, model:<name>, code[:<language>] or humaneval';

/** Milliseconds allowed for a pattern. */
const REGEX_MS = 1000;

/** Longest answer that a regular expression is tried on, in characters: patterns may take exponential time. */
const MAX_REGEX_INPUT_LENGTH = 100_000;

/** @returns null if the text is not a scorer. File names stay as written. */
export function parseScorer(text: string): Scorer | null {
    const [, kind = '', setting] = /^([a-z-]+)(?::(.+))?$/s.exec(text) ?? [];
    switch (kind) {
        case 'exact':
        case 'contains':
        case 'regex':
        case 'humaneval':
            return setting === undefined ? { kind } : null;
        case 'numeric': {
            const tolerance = setting === undefined ? 1e-6 : Number(setting);
            return Number.isFinite(tolerance) && tolerance >= 0 ? { kind, tolerance } : null;
        }
        case 'json-schema':
            return { kind, file: setting ?? null };
        case 'module':
            return setting === undefined ? null : parseModuleScorer(setting);
        case 'model':
            return setting === undefined ? null : { kind, model: setting };
        case 'code':
            return { kind, language: setting ?? null };
        default:
            return null;
    }
}

function parseModuleScorer(setting: string): Scorer | null {
    const hash = setting.lastIndexOf('#');
    if (hash === 0 || hash === setting.length - 1) return null;
    return hash === -1
        ? { kind: 'module', file: setting, exportName: null }
        : { kind: 'module', file: setting.slice(0, hash), exportName: setting.slice(hash + 1) };
}

/** The scorer as `parseScorer` reads it. */
export function formatScorer(scorer: Scorer): string {
    switch (scorer.kind) {
        case 'exact':
        case 'contains':
        case 'regex':
        case 'humaneval':
            return scorer.kind;
        case 'numeric':
            return `numeric:${scorer.tolerance}`;
        case 'json-schema':
            return scorer.file === null ? scorer.kind : `json-schema:${scorer.file}`;
        case 'module':
            return `module:${scorer.file}${scorer.exportName === null ? '' : `#${scorer.exportName}`}`;
        case 'model':
            return `model:${scorer.model}`;
        case 'code':
            return scorer.language === null ? scorer.kind : `code:${scorer.language}`;
        default:
            return unreachable(scorer, 'scorer');
    }
}

/**
 * Scores an answer, from 0 to 1.
 * @throws UserError if the expected text cannot be used: not a number, not a regular expression
 */
export function scoreAnswer(scorer: TextScorer, answer: string, expected: string): number {
    switch (scorer.kind) {
        case 'exact':
            return Number(normalise(answer) === normalise(expected));
        case 'contains':
            return Number(normalise(answer).includes(normalise(expected)));
        case 'regex':
            return Number(matches(expected, answer.slice(0, MAX_REGEX_INPUT_LENGTH)));
        case 'numeric': {
            const wanted = findLastNumber(expected);
            if (wanted === null || !Number.isFinite(wanted))
                throw new UserError(`the expected answer ${JSON.stringify(expected)} is not a number`);
            const found = findLastNumber(answer);
            return Number(found !== null && isNear(found, wanted, scorer.tolerance));
        }
    }
}

const normalise = (text: string): string => text.trim().toLowerCase();

/** Runs in a context of its own, which can be terminated: a pattern that backtracks would block the whole run. */
function matches(pattern: string, answer: string): boolean {
    try {
        const sandbox = { pattern, answer };
        return (
            runInNewContext("new RegExp(pattern, 'u').test(answer)", sandbox, { timeout: REGEX_MS }) === true
        );
    } catch (error) {
        const why = error instanceof Error || isErrorLike(error) ? error.message : String(error);
        throw new UserError(
            `the expected answer ${JSON.stringify(pattern)} cannot be used as a regular expression: ${why}`,
        );
    }
}

/** Errors of another context are not instances of our `Error`. */
const isErrorLike = (value: unknown): value is { readonly message: string } =>
    typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string';

/** Version of how `findLastNumber` reads numbers. A score keeps the fingerprint of its scorer, which includes this version. */
export const NUMERIC_READING = 2;

/** A minus sign, as opposed to the hyphen of a range, a date or a name, or the operator of a difference. */
const MINUS = String.raw`(?<![\p{L}\p{N})\]}%])-(?:\p{Sc}\s?)?`;
const NUMBER = new RegExp(
    String.raw`(?<sign>${MINUS})?(?<digits>(?:\d+(?:\.\d+)?|(?<![\w.])\.\d+)(?:e[+-]?\d+)?)`,
    'giu',
);

/**
 * The last number of a text: models tend to end with their result. Commas between digits are read as thousands separators, and
 * the typographic minus sign as a minus. A hyphen after a digit, a letter or a bracket is not a sign: 10-5 ends with 5,
 * 2023-05-01 with 1.
 */
function findLastNumber(text: string): number | null {
    const plain = text.replace(/(\d),(?=\d{3}(?!\d))/g, '$1').replaceAll('\u2212', '-');
    const { sign, digits } = [...plain.matchAll(NUMBER)].at(-1)?.groups ?? {};
    if (digits === undefined) return null;
    return sign === undefined ? Number(digits) : -Number(digits);
}

const isNear = (found: number, wanted: number, tolerance: number): boolean =>
    Math.abs(found - wanted) <= tolerance * Math.max(1, Math.abs(wanted));

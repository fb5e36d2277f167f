import { runInNewContext } from 'node:vm';
import { UserError } from '../util/user-error.js';

/** How an answer is compared with what was expected: a kind and, for some, its setting. */
export type Scorer =
    /** The same text, white space at the ends and letter case aside. */
    | { readonly kind: 'exact' }
    /** The expected text stands somewhere in the answer, letter case aside. */
    | { readonly kind: 'contains' }
    /** The expected text is a regular expression (JavaScript's, `u` flag) that matches somewhere. */
    | { readonly kind: 'regex' }
    /** The last number of the answer is within `tolerance` of the expected one, absolutely or relatively. */
    | { readonly kind: 'numeric'; readonly tolerance: number };

export const SCORER_FORMS = 'exact, contains, regex, numeric or numeric:<tolerance>';

/** Milliseconds that a pattern gets. */
const REGEX_MS = 1000;

/** Longest answer that a regular expression is tried on, in characters: patterns may take exponential time. */
const LONGEST_FOR_REGEX = 100_000;

/** @returns null for what is not a scorer */
export function parseScorer(text: string): Scorer | null {
    const [, kind = '', setting] = /^([a-z]+)(?::(.+))?$/.exec(text) ?? [];
    switch (kind) {
        case 'exact':
        case 'contains':
        case 'regex':
            return setting === undefined ? { kind } : null;
        case 'numeric': {
            const tolerance = setting === undefined ? 1e-6 : Number(setting);
            return Number.isFinite(tolerance) && tolerance >= 0 ? { kind, tolerance } : null;
        }
        default:
            return null;
    }
}

export function scorerText(scorer: Scorer): string {
    return scorer.kind === 'numeric' ? `numeric:${scorer.tolerance}` : scorer.kind;
}

/**
 * Scores an answer, from 0 to 1.
 * @throws UserError where what is expected cannot be compared with: no number, no regular expression
 */
export function scoreAnswer(scorer: Scorer, answer: string, expected: string): number {
    switch (scorer.kind) {
        case 'exact':
            return Number(normalise(answer) === normalise(expected));
        case 'contains':
            return Number(normalise(answer).includes(normalise(expected)));
        case 'regex':
            return Number(matches(expected, answer.slice(0, LONGEST_FOR_REGEX)));
        case 'numeric': {
            const wanted = lastNumber(expected);
            if (wanted === null)
                throw new UserError(`the expected answer ${JSON.stringify(expected)} is not a number`);
            const found = lastNumber(answer);
            return Number(found !== null && isNear(found, wanted, scorer.tolerance));
        }
    }
}

const normalise = (text: string): string => text.trim().toLowerCase();

/** In a context of its own, which can be ended: a pattern that backtracks would hold up the whole run. */
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

/** Errors of another context are not instances of ours. */
const isErrorLike = (value: unknown): value is { readonly message: string } =>
    typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string';

/** The last number of a text: models tend to end with their result. Commas between digits are read as thousands. */
function lastNumber(text: string): number | null {
    const numbers = text.replace(/(\d),(?=\d{3}(?!\d))/g, '$1').match(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi);
    const last = numbers?.at(-1);
    return last === undefined ? null : Number(last);
}

const isNear = (found: number, wanted: number, tolerance: number): boolean =>
    Math.abs(found - wanted) <= tolerance * Math.max(1, Math.abs(wanted));

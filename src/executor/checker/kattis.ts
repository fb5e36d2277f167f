import { UserError } from '../../util/user-error.js';
import { AS_IS, C_SPACES, LOWER } from './bytes.js';
import type { Comparer } from './comparison.js';
import { parseScanf } from './number.js';
import { TokenComparer, type TokenRules } from './tokens.js';

const FLAGS =
    'case_sensitive, space_change_sensitive, float_tolerance <e>, float_absolute_tolerance <e>, float_relative_tolerance <e>';

/** The default validator of problem packages. @throws UserError for flags it does not know */
export function makeKattisComparer(flags: readonly string[]): Comparer {
    return new TokenComparer(parseRules(flags));
}

const known = new WeakMap<readonly string[], TokenRules>();

/** Parsed once: all tests of a folder share the same list of flags. */
function parseRules(flags: readonly string[]): TokenRules {
    let rules = known.get(flags);
    if (rules === undefined) {
        rules = readFlags(flags);
        known.set(flags, rules);
    }
    return rules;
}

function readFlags(flags: readonly string[]): TokenRules {
    let caseSensitive = false;
    let sameSpaces = false;
    let absolute = -1;
    let relative = -1;
    for (let i = 0; i < flags.length; i += 1) {
        const flag: string = flags[i] ?? '';
        switch (flag) {
            case 'case_sensitive':
                caseSensitive = true;
                break;
            case 'space_change_sensitive':
                sameSpaces = true;
                break;
            case 'float_tolerance':
                i += 1;
                absolute = relative = tolerance(flags, i);
                break;
            case 'float_absolute_tolerance':
                i += 1;
                absolute = tolerance(flags, i);
                break;
            case 'float_relative_tolerance':
                i += 1;
                relative = tolerance(flags, i);
                break;
            default:
                throw new UserError(
                    `kattis checker: unknown flag ${JSON.stringify(flag)}; allowed: ${FLAGS}`,
                );
        }
    }
    return {
        spaces: C_SPACES,
        fold: caseSensitive ? AS_IS : LOWER,
        // The validator compares C strings.
        cutAtNul: true,
        sameSpaces,
        asNumbers: absolute >= 0 || relative >= 0 ? nearBy(absolute, relative) : null,
        onSame: null,
    };
}

function tolerance(flags: readonly string[], at: number): number {
    const bytes = Buffer.from(flags[at] ?? '');
    const value = parseScanf(bytes, 0, bytes.length);
    if (Number.isNaN(value) || value < 0) {
        throw new UserError(
            `kattis checker: ${flags[at - 1]} must be followed by a number of at least 0, got ${flags[at] ?? 'nothing'}`,
        );
    }
    return value;
}

/** Two numbers are close if either tolerance allows the difference; a negative tolerance means that none was given. */
function nearBy(absolute: number, relative: number): NonNullable<TokenRules['asNumbers']> {
    return (output, outputEnd, answer, answerEnd) => {
        const expected = parseScanf(answer.bytes, answer.at, cutAtNul(answer.bytes, answer.at, answerEnd));
        // Numbers are compared only if the judge's token is one; otherwise the texts differ.
        if (Number.isNaN(expected)) return false;
        const got = parseScanf(output.bytes, output.at, cutAtNul(output.bytes, output.at, outputEnd));
        if (Number.isNaN(got)) return false;
        const difference = Math.abs(expected - got);
        return difference <= absolute || difference <= relative * Math.abs(expected);
    };
}

function cutAtNul(bytes: Buffer, from: number, to: number): number {
    const nul = bytes.subarray(from, to).indexOf(0);
    return nul === -1 ? to : from + nul;
}

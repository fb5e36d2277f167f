import { PROGRAM_VERDICTS, type Verdict } from '../model/verdict.js';

/** Expected verdicts in words: `WrongAnswer or TimeLimitExceeded`, `any verdict but Accepted`. */
export function formatExpected(expected: readonly Verdict[]): string {
    const left = PROGRAM_VERDICTS.filter((verdict) => !expected.includes(verdict));
    return left.length === 1 && expected.length > 2 ? `any verdict but ${left[0]}` : expected.join(' or ');
}

/**
 * The verdicts of finished tasks. A verdict is final; it is about the program, never about the machinery (for that see
 * failure.ts).
 */
export const VERDICTS = [
    'Accepted',
    /** In a problem with scores: less than the best score. */
    'PartiallyAccepted',
    'WrongAnswer',
    'TimeLimitExceeded',
    'MemoryLimitExceeded',
    'OutputLimitExceeded',
    'RuntimeError',
    'CompileError',
    'Refused',
] as const;

export type Verdict = (typeof VERDICTS)[number];

/** The possible verdicts of a program whose problem has no scores. */
export const PROGRAM_VERDICTS: readonly Verdict[] = VERDICTS.filter(
    (verdict) => verdict !== 'Refused' && verdict !== 'PartiallyAccepted',
);

const KNOWN: ReadonlySet<string> = new Set(VERDICTS);

export function isVerdict(value: unknown): value is Verdict {
    return typeof value === 'string' && KNOWN.has(value);
}

/** Verdicts that a higher limit might change; entries with one of them run again when their limit is raised. */
export type LimitVerdict = 'TimeLimitExceeded' | 'MemoryLimitExceeded' | 'OutputLimitExceeded';

export function isLimitVerdict(verdict: Verdict): verdict is LimitVerdict {
    return (
        verdict === 'TimeLimitExceeded' ||
        verdict === 'MemoryLimitExceeded' ||
        verdict === 'OutputLimitExceeded'
    );
}

import type { BuiltInChecker, Checker } from './sample.js';

/**
 * The word for `--checker` that selects each format's own comparison, even in a directory whose results were compared otherwise.
 */
export const FORMAT_CHECKERS = 'format';

/** What `parseChecker` takes, for messages. */
export const CHECKER_FORMS =
    'tokens, lines, exact, float:<absolute>[,<relative>], kattis[:<flags>], codecontests, sandboxfusion, judge0, apps or livecodebench';

/** A checker as users write it, in the form that `parseChecker` reads. */
export function formatChecker(checker: BuiltInChecker): string {
    switch (checker.kind) {
        case 'tokens':
        case 'lines':
        case 'exact':
        case 'codecontests':
        case 'sandboxfusion':
        case 'judge0':
        case 'apps':
        case 'livecodebench':
        case 'calls':
            return checker.kind;
        case 'float':
            return `float:${checker.absolute}${checker.relative === null ? '' : `,${checker.relative}`}`;
        case 'kattis':
            return checker.flags.length === 0 ? 'kattis' : `kattis:${checker.flags.join(' ')}`;
    }
}

/**
 * A checker as users write it (`--checker`, `checker` in the plain form); null if it is not a built-in one. `float:1e-6` takes an
 * absolute error of 1e-6; `float:1e-6,1e-9` also takes a relative one of 1e-9: either suffices.
 */
export function parseChecker(text: string): Checker | null {
    const [kind = '', ...rest] = text.trim().split(':');
    const settings = rest.join(':').trim();
    switch (kind) {
        case 'tokens':
        case 'lines':
        case 'exact':
        case 'codecontests':
        case 'sandboxfusion':
        case 'judge0':
        case 'apps':
        case 'livecodebench':
            return rest.length === 0 ? { kind } : null;
        case 'float':
            return parseFloatChecker(settings);
        case 'kattis':
            return { kind, flags: settings === '' ? [] : settings.split(/\s+/) };
        default:
            return null;
    }
}

function parseFloatChecker(settings: string): Checker | null {
    const parts = settings.split(',').map((part) => part.trim());
    const [absolute = '', relative] = parts;
    if (parts.length > 2 || !isTolerance(absolute)) return null;
    if (relative === undefined) return { kind: 'float', absolute: Number(absolute), relative: null };
    return isTolerance(relative)
        ? { kind: 'float', absolute: Number(absolute), relative: Number(relative) }
        : null;
}

function isTolerance(text: string): boolean {
    return text !== '' && Number.isFinite(Number(text)) && Number(text) >= 0;
}

import { CHECKER_FORMS, FORMAT_CHECKERS, parseChecker } from '../model/checker-text.js';
import { UserError } from '../util/user-error.js';

/**
 * The path in a `--checker` value, or null if it is a built-in checker. What holds a `/`, or a `.` after its first
 * character, is a path.
 * @throws UserError for anything else
 */
export function checkerPath(text: string, label: string): string | null {
    if (text === FORMAT_CHECKERS || parseChecker(text) !== null) return null;
    const name = text.split(':', 1)[0] ?? '';
    const isBuiltIn = parseChecker(name) !== null || name === 'float';
    if (!isBuiltIn && (text.includes('/') || text.indexOf('.') > 0)) return text;
    throw new UserError(
        `${label}: expected ${FORMAT_CHECKERS}, ${CHECKER_FORMS}, or the path of a checker program (./name), got '${text}'`,
    );
}

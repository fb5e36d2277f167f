import { isAbsolute, resolve } from 'node:path';
import { CHECKER_FORMS, FORMAT_CHECKERS, parseChecker } from '../../model/checker-text.js';
import type { Checker } from '../../model/sample.js';
import type { ValueParser } from '../option.js';
import { parseText, makeValueError } from '../value-error.js';

/** How `--checker` compares output. */
export type CheckerSetting =
    /** The rule of each dataset format. */
    | { readonly kind: 'format' }
    | { readonly kind: 'built-in'; readonly checker: Checker; readonly text: string }
    /** A checker program; the path is absolute. */
    | { readonly kind: 'program'; readonly path: string };

/**
 * `--checker`: `format`, a built-in checker with its settings, or a path, recognised by a `/`, or by a `.` after its first
 * character.
 */
export const CHECKER: ValueParser<CheckerSetting> = {
    parse(raw, origin) {
        const text = parseText(raw, origin);
        if (text === FORMAT_CHECKERS) return { kind: 'format' };
        const checker = parseChecker(text);
        if (checker !== null) return { kind: 'built-in', checker, text };
        const name = text.slice(0, text.includes(':') ? text.indexOf(':') : undefined);
        const isBuiltIn = parseChecker(name) !== null || name === 'float';
        if (isBuiltIn || !(text.includes('/') || text.indexOf('.') > 0)) {
            const forms = `${FORMAT_CHECKERS}, ${CHECKER_FORMS}`;
            throw makeValueError(origin, `${forms}, or the path of a checker program (./name)`, raw);
        }
        return { kind: 'program', path: isAbsolute(text) ? text : resolve(origin.base, text) };
    },
    format(setting) {
        switch (setting.kind) {
            case 'format':
                return FORMAT_CHECKERS;
            case 'built-in':
                return setting.text;
            case 'program':
                return setting.path;
        }
    },
    shape: 'text',
};

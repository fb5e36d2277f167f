import type { Json } from '../model/json.js';
import { UserError } from '../util/user-error.js';
import type { ValueOrigin } from './option.js';

/** Formats an error: `--timeout: expected seconds, such as 20 or 1.5, got 'soon'` */
export function makeValueError(origin: ValueOrigin, expected: string, raw: Json): UserError {
    const given = typeof raw === 'string' ? `'${shorten(raw)}'` : shorten(JSON.stringify(raw));
    return new UserError(`${origin.label}: expected ${expected}, got ${raw === '' ? 'nothing' : given}`);
}

/** Shortens a value to at most 60 characters, to fit into one line of a message. */
export function shorten(text: string): string {
    return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

/** @throws UserError unless the value is text that can be an argument of a program */
export function parseText(raw: Json, origin: ValueOrigin): string {
    if (typeof raw !== 'string' || raw === '') throw makeValueError(origin, 'a value', raw);
    if (raw.includes('\0')) throw new UserError(`${origin.label}: must not contain a NUL character`);
    return raw;
}

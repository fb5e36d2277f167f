/*
 * Secrets in user input. `{env:NAME}` in a command or an address stands for a variable: it is stored, shown and fingerprinted as
 * that text, and replaced only where it is used. Its value is masked wherever text leaves this process.
 */

import { UserError } from './user-error.js';

/** `{env:NAME}` */
export const ENV_REFERENCE = /\{env:([A-Za-z_]\w*)\}/g;

/** Masking shorter values would also mask unrelated words. */
const MIN_SECRET_LENGTH = 6;

/**
 * Values that references were replaced by in this process, with their reference. Process-wide, like the output that must not show
 * them.
 */
const revealed = new Map<string, string>();

/**
 * The value of the variable that a reference names.
 * @param where how a message names the place of the reference
 * @throws UserError if it is not set
 */
export function readReference(
    name: string,
    where: string,
    env: Readonly<Record<string, string | undefined>> = process.env,
): string {
    const value = env[name] ?? '';
    if (value === '')
        throw new UserError(
            `${where}: {env:${name}} needs the environment variable ${name}, which is not set`,
        );
    if (value.length >= MIN_SECRET_LENGTH) revealed.set(value, `{env:${name}}`);
    return value;
}

/** A text with the values of references replaced by the references again, for messages, events and logs. */
export function maskSecrets(text: string): string {
    let masked = text;
    for (const [value, reference] of revealed) masked = masked.replaceAll(value, reference);
    return masked;
}

/** Patterns of what looks like a literal secret, and their common names. */
const LITERALS: readonly (readonly [name: string, shape: RegExp])[] = [
    ['a bearer token', /(?<=\bBearer\s+)(?!\{env:)[\w.~+/=-]{8,}/gi],
    [
        'an API key',
        /\b(?:sk|pk|rk)-[\w-]{16,}|\bgh[pousr]_\w{20,}|\bhf_\w{20,}|\bAKIA[0-9A-Z]{16}\b|\bxox[abprs]-[\w-]{10,}|\bAIza[\w-]{30,}/g,
    ],
    ['a token', /\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*/g],
    ['a password in an address', /(?<=:\/\/[^/\s:@]*:)(?!\{env:)[^/\s@{]+(?=@)/g],
    [
        'a secret',
        /(?<=(?:^|[\s\-_])(?:api[-_]?key|access[-_]?token|token|password|passwd|secret)[=:]\s*)(?![\s{$])[^\s"'&,;]{6,}/gi,
    ],
];

/** An option followed by a secret. */
const SECRET_OPTION = /^--?(?:api[-_]?key|access[-_]?token|token|password|passwd|secret)$/i;

/** The kind of secret that a command contains in plain text; null if there seems to be none. */
export function findLiteralSecret(words: readonly string[]): string | null {
    for (const [at, word] of words.entries()) {
        for (const [name, shape] of LITERALS) if (word.search(shape) !== -1) return name;
        const next = words[at + 1];
        if (SECRET_OPTION.test(word) && next !== undefined && /^[^{$-]/.test(next))
            return `a value after ${word}`;
    }
    return null;
}

/** A command with anything that looks like a secret masked, for messages and process titles. */
export function maskLiteralSecrets(words: readonly string[]): string[] {
    return words.map((word, at) => {
        if (SECRET_OPTION.test(words[at - 1] ?? '') && /^[^{$-]/.test(word)) return '***';
        return LITERALS.reduce((text, [, shape]) => text.replace(shape, '***'), word);
    });
}

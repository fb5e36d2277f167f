import { ENV_REFERENCE } from '../../util/secrets.js';
import { UserError } from '../../util/user-error.js';
import type { ValueParser } from '../option.js';
import { parseText } from '../value-error.js';

/** Variables that may contain a password: all other sources are readable by others, or shown in process lists. */
const SECRET_ORIGINS: ReadonlySet<string> = new Set(['REDIS_URL', 'RESUME_RUN_REDIS']);

const SCHEMES: ReadonlySet<string> = new Set(['redis:', 'rediss:', 'unix:']);

/** `--redis`: `redis://user@host:6379/0`, `rediss://` for TLS, or `unix:///path/to/socket`. */
export const REDIS_ADDRESS: ValueParser<string> = {
    parse(raw, origin) {
        const text = parseText(raw, origin);
        // A reference makes the URL valid only after it is replaced.
        const plain = text.replaceAll(ENV_REFERENCE, 'reference');
        if (!URL.canParse(plain) || !SCHEMES.has(new URL(plain).protocol)) {
            // Do not quote the value: it may contain a password.
            throw new UserError(
                `${origin.label}: expected an address such as redis://host:6379, rediss://host:6379 or unix:///path`,
            );
        }
        const { password } = new URL(plain);
        if (password !== '' && password !== 'reference' && !SECRET_ORIGINS.has(origin.label)) {
            throw new UserError(
                `${origin.label}: others could read the password here: put the address into the environment variable REDIS_URL, ` +
                    'write {env:NAME} for the password, or name a file with --redis-password-file',
            );
        }
        return text;
    },
    format: hidePassword,
    shape: 'text',
};

/** An address without its password. */
export function hidePassword(address: string): string {
    return address.replace(/^(\w+:\/\/[^/@]*?):(?!\{env:)[^@]*@/, '$1@');
}

import { readReason } from '../util/io-error.js';
import { readRegularFile } from '../util/regular-file.js';
import { UserError } from '../util/user-error.js';

/** Where a token is stored; never the token itself. */
export type TokenSource = { readonly env: string } | { readonly file: string };

/**
 * Reads a token.
 * @throws UserError if it is missing or empty; the message names the place, never the content
 */
export function readToken(source: TokenSource, env: NodeJS.ProcessEnv = process.env): string {
    if ('env' in source) {
        const token = env[source.env]?.trim() ?? '';
        if (token === '') throw new UserError(`token: the environment variable ${source.env} is not set`);
        return checked(token, `the environment variable ${source.env}`);
    }
    let text: string;
    try {
        text = readRegularFile(source.file).toString();
    } catch (error) {
        throw new UserError(`token: cannot read the file ${source.file}: ${readReason(error)}`);
    }
    const token = text.trim();
    if (token === '') throw new UserError(`token: the file ${source.file} is empty`);
    return checked(token, `the file ${source.file}`);
}

/** A token with a line break must not become a header value: HTTP would reject it with an error that contains the whole token. */
function checked(token: string, where: string): string {
    if (!/^[\x21-\x7e]+$/.test(token))
        throw new UserError(`token: ${where} must be a single word of printable ASCII characters`);
    return token;
}

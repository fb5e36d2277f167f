import { readReason } from '../util/io-error.js';
import { readRegularFile } from '../util/regular-file.js';
import { UserError } from '../util/user-error.js';

/** Where a token is kept: never the token itself. */
export type TokenSource = { readonly env: string } | { readonly file: string };

/**
 * Reads a token.
 * @throws UserError if it is not there or empty; the message names the place, never the content
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

/** A header value with a line break would be refused by HTTP with the whole token in the error. */
function checked(token: string, where: string): string {
    if (!/^[\x21-\x7e]+$/.test(token))
        throw new UserError(`token: ${where} holds more than one word of plain characters`);
    return token;
}

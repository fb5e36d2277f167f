import { decodePercent } from '../util/percent.js';
import { maskSecrets } from '../util/secrets.js';
import { UserError } from '../util/user-error.js';

/** Most addresses that one run may use. */
export const MAX_ADDRESSES = 4096;

/** Paths of calls, which users may paste along with the address. */
const CALLS = /\/(submit|run_code|run)$/;

/**
 * Parses values of `--endpoint`. Each is a comma-separated list of addresses, which may contain ranges
 * (`http://10.0.0.{1..4}:{8080..8207}/`, zero-padded if the first number is) and choices (`{a,b}`). Repeated addresses count
 * once.
 * @returns base addresses without a final slash, in the order given; they still contain secrets (`user:secret@`)
 * @throws UserError naming the invalid value
 */
export function parseEndpoints(values: readonly string[], option = '--endpoint'): readonly string[] {
    const found = new Set<string>();
    for (const value of values) {
        for (const item of splitOutsideBraces(value, option)) {
            for (const text of expand(item, option)) {
                found.add(normalise(text, option));
                if (found.size > MAX_ADDRESSES) throw tooMany(item, option);
            }
        }
    }
    return [...found];
}

/** An address that is safe to show and store: without user and secret. */
export function displayAddress(address: string): string {
    const url = new URL(address);
    url.username = '';
    url.password = '';
    return maskSecrets(bare(url));
}

/** The credentials in an address as the value of an `Authorization` header; null if there are none. */
export function buildBasicAuthorization(address: string): string | null {
    const url = new URL(address);
    if (url.username === '' && url.password === '') return null;
    const pair = `${decodePercent(url.username)}:${decodePercent(url.password)}`;
    return `Basic ${Buffer.from(pair).toString('base64')}`;
}

const bare = (url: URL): string => url.href.replace(/\/+$/, '');

function normalise(text: string, option: string): string {
    const wrong = (why: string) => new UserError(`${option}: ${JSON.stringify(redact(text))} ${why}`);
    let url: URL;
    try {
        url = new URL(text);
    } catch {
        throw wrong('is not an address; expected something like http://10.0.0.1:8080');
    }
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
        throw wrong(`starts with ${url.protocol}; expected http: or https:`);
    }
    if (url.search !== '' || url.hash !== '')
        throw wrong('has a query or a fragment; expected a bare address');
    url.pathname = url.pathname.replace(/\/+$/, '').replace(CALLS, '');
    return bare(url);
}

/** Hides everything before an `@`, even in text that is not a valid address. */
const redact = (text: string): string => text.replace(/\/\/[^/]*@/, '//***@');

function splitOutsideBraces(value: string, option: string): readonly string[] {
    const items: string[] = [];
    let depth = 0;
    let item = '';
    for (const character of value) {
        if (character === '{') depth += 1;
        if (character === '}') depth -= 1;
        if (depth < 0 || depth > 1)
            throw new UserError(`${option}: braces do not match in ${JSON.stringify(redact(value))}`);
        if (character === ',' && depth === 0) {
            items.push(item);
            item = '';
        } else item += character;
    }
    if (depth !== 0)
        throw new UserError(`${option}: braces do not match in ${JSON.stringify(redact(value))}`);
    items.push(item);
    const named = items.map((one) => one.trim()).filter((one) => one !== '');
    if (named.length === 0) throw new UserError(`${option}: expected an address, got an empty value`);
    return named;
}

/** Expands the braces of `text` to all texts that they stand for; the last brace changes fastest. */
function expand(text: string, option: string): readonly string[] {
    let texts = [''];
    for (const part of text.split(/(\{[^}]*\})/)) {
        const choices = part.startsWith('{') ? expandBraces(part, text, option) : [part];
        if (texts.length * choices.length > MAX_ADDRESSES) throw tooMany(text, option);
        texts = texts.flatMap((start) => choices.map((choice) => start + choice));
    }
    return texts;
}

function expandBraces(braces: string, text: string, option: string): readonly string[] {
    const inside = braces.slice(1, -1);
    const range = /^(\d{1,9})\.\.(\d{1,9})$/.exec(inside);
    if (range !== null) {
        const [first = '', last = ''] = range.slice(1);
        const count = Number(last) - Number(first) + 1;
        if (count < 1) throw new UserError(`${option}: the range ${braces} runs backwards`);
        if (count > MAX_ADDRESSES) throw tooMany(text, option);
        const width = first.startsWith('0') ? first.length : 0;
        return Array.from({ length: count }, (_, step) => String(Number(first) + step).padStart(width, '0'));
    }
    const choices = inside.split(',').map((choice) => choice.trim());
    if (inside.includes('..') || choices.some((choice) => choice === '')) {
        throw new UserError(
            `${option}: cannot read ${braces}; expected a range like {8080..8207} or choices like {a,b}`,
        );
    }
    return choices;
}

const tooMany = (text: string, option: string): UserError =>
    new UserError(
        `${option}: ${JSON.stringify(redact(text))} stands for more than ${MAX_ADDRESSES} addresses`,
    );

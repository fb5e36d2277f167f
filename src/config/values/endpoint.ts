import { parseEndpoints } from '../../endpoint/address.js';
import { isJsonObject, type Json } from '../../model/json.js';
import { UserError } from '../../util/user-error.js';
import type { EndpointSetting, ValueOrigin, ValueParser } from '../option.js';
import { parseText, makeValueError } from '../value-error.js';

/** `--endpoint`: an address; in a config file also an object with settings, whose shape is checked by the file's schema. */
export const ENDPOINT: ValueParser<EndpointSetting> = {
    parse(raw, origin) {
        if (typeof raw === 'string') return parseAddresses(raw, origin);
        if (isJsonObject(raw) && typeof raw['url'] === 'string') {
            return { ...raw, ...parseAddresses(raw['url'], origin) };
        }
        throw makeValueError(origin, 'the address of a server', raw);
    },
    // Headers may hold secrets: they stay in the config file, where a resuming start finds them again.
    format({ headers: _headers, addresses: _addresses, ...rest }) {
        return Object.keys(rest).length === 1 ? rest.url : { ...rest };
    },
    shape: 'endpoint',
};

/** Expands comma lists and ranges, so that an error in them is reported where they are given. */
function parseAddresses(text: Json, origin: ValueOrigin): Pick<EndpointSetting, 'url' | 'addresses'> {
    const url = parseUrl(text, origin);
    return url.includes('{env:') ? { url } : { url, addresses: parseEndpoints([url], origin.label) };
}

/** Refuses addresses that must be neither stored nor shown. */
function parseUrl(text: Json, origin: ValueOrigin): string {
    const url = parseText(text, origin).trim();
    if (!/^https?:\/\//i.test(url)) {
        // The text may contain a password, so it is not shown.
        throw new UserError(`${origin.label}: expected an address that begins with http:// or https://`);
    }
    const user = /\/\/([^/?#]*)@/.exec(url)?.[1];
    if (user !== undefined && !/^(?:[^:{}]*:)?\{env:\w+\}$|^\{env:\w+\}:\{env:\w+\}$/.test(user)) {
        throw new UserError(
            `${origin.label}: an address must not hold a user name or password; name a variable, as in ` +
                'http://user:{env:NAME}@host, or in the config file: {"url": ..., "token": {"env": "NAME"}}',
        );
    }
    return url;
}

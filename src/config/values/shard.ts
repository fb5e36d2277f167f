import type { Shard } from '../../model/shard.js';
import type { ValueParser } from '../option.js';
import { makeValueError } from '../value-error.js';

/** `--shard i/n`, counted from 1. */
export const SHARD: ValueParser<Shard> = {
    parse(raw, origin) {
        const match = typeof raw === 'string' ? /^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(raw) : null;
        const shard = { index: Number(match?.[1]), count: Number(match?.[2]) };
        if (match === null || shard.index > shard.count) {
            throw makeValueError(origin, 'i/n with i from 1 to n, such as 1/4', raw);
        }
        return shard;
    },
    format: ({ index, count }) => `${index}/${count}`,
    shape: 'text',
};

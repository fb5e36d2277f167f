import type { HaltRule } from '../../model/stop.js';
import type { ValueParser } from '../option.js';
import { makeValueError } from '../value-error.js';

/** `--halt 10` or `--halt 5%`. */
export const HALT: ValueParser<HaltRule> = {
    parse(raw, origin) {
        const text = typeof raw === 'number' ? String(raw) : raw;
        const match = typeof text === 'string' ? /^([1-9]\d{0,8})(%?)$/.exec(text) : null;
        const number = Number(match?.[1]);
        if (match === null || (match[2] === '%' && number > 100))
            throw makeValueError(
                origin,
                'a number of failed tasks, such as 10, or a share of 1% to 100%',
                raw,
            );
        return match[2] === '%' ? { percent: number } : { failures: number };
    },
    format: (rule) => ('percent' in rule ? `${rule.percent}%` : String(rule.failures)),
    shape: 'text',
};

import type { ValueParser } from '../option.js';
import { parseText, makeValueError } from '../value-error.js';

/** Bounds of a rate, from 0 to 1. */
interface RateBounds {
    readonly tpr?: number;
    readonly tnr?: number;
}

/** `tpr=0.9,tnr=95%` */
export const RATE_BOUNDS: ValueParser<RateBounds> = {
    parse(raw, origin) {
        const bounds: { tpr?: number; tnr?: number } = {};
        for (const part of parseText(raw, origin).split(',')) {
            const [, name, number = '', percent] =
                /^\s*(tpr|tnr)\s*=\s*(\d+(?:\.\d+)?)\s*(%?)\s*$/i.exec(part) ?? [];
            const value = Number(number) / (percent === '%' ? 100 : 1);
            if (name === undefined || value > 1)
                throw makeValueError(origin, 'bounds such as tpr=0.9,tnr=0.95 or tnr=95%', raw);
            bounds[name.toLowerCase() === 'tpr' ? 'tpr' : 'tnr'] = value;
        }
        return bounds;
    },
    format: (bounds) =>
        Object.entries(bounds)
            .map(([name, value]) => `${name}=${value}`)
            .join(','),
    shape: 'text',
};

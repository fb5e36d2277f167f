import { resolve } from 'node:path';
import type { ValueParser } from '../option.js';
import { parseText, makeValueError } from '../value-error.js';

/** A function in a module. */
export interface ModuleReference {
    /** Absolute. */
    readonly file: string;
    /** Null: the default export. */
    readonly exportName: string | null;
}

/** `--module file[#export]`. */
export const MODULE_REFERENCE: ValueParser<ModuleReference> = {
    parse(raw, origin) {
        const text = parseText(raw, origin);
        const hash = text.lastIndexOf('#');
        const file = hash === -1 ? text : text.slice(0, hash);
        if (file === '' || hash === text.length - 1) throw makeValueError(origin, 'file or file#export', raw);
        return {
            file: resolve(origin.base, file),
            exportName: hash === -1 ? null : text.slice(hash + 1),
        };
    },
    format: ({ file, exportName }) => (exportName === null ? file : `${file}#${exportName}`),
    shape: 'text',
};

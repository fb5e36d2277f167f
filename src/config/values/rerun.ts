import { formatRerun, parseRerun, type RerunRequest } from '../../model/rerun.js';
import type { ValueParser } from '../option.js';
import { parseText } from '../value-error.js';

/** `--rerun`: a keyword, or a glob of ids. */
export const RERUN: ValueParser<RerunRequest> = {
    parse: (raw, origin) => parseRerun(raw === '' ? '' : parseText(raw, origin), origin.label),
    format: formatRerun,
    shape: 'text',
};

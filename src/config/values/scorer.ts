import { resolve } from 'node:path';
import { parseScorer, SCORER_FORMS, type Scorer, formatScorer } from '../../model/scorer.js';
import type { ValueParser } from '../option.js';
import { parseText, makeValueError } from '../value-error.js';

/** `--scorer`: how answers are scored. Files are relative to the place where the option is given. */
export const SCORER: ValueParser<Scorer> = {
    parse(raw, origin) {
        const scorer = parseScorer(parseText(raw, origin).trim());
        if (scorer === null) throw makeValueError(origin, SCORER_FORMS, raw);
        return 'file' in scorer && scorer.file !== null
            ? { ...scorer, file: resolve(origin.base, scorer.file) }
            : scorer;
    },
    format: formatScorer,
    shape: 'text',
};

import { parseScorer, SCORER_FORMS, type Scorer, scorerText } from '../../model/scorer.js';
import type { ValueParser } from '../option.js';
import { parseText, wrongValue } from '../value-error.js';

/** `--scorer`: how answers are compared with what is expected. */
export const SCORER: ValueParser<Scorer> = {
    parse(raw, origin) {
        const scorer = parseScorer(parseText(raw, origin).trim());
        if (scorer === null) throw wrongValue(origin, SCORER_FORMS, raw);
        return scorer;
    },
    format: scorerText,
    shape: 'text',
};

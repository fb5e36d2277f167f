import { type Verdict, VERDICTS } from '../../model/verdict.js';
import { UserError } from '../../util/user-error.js';
import type { ValueParser } from '../option.js';
import { makeValueError } from '../value-error.js';

/** An exit code of the user's command that stands for a verdict. */
export interface ExitVerdict {
    /** 1 to 255; 0 is always Accepted. */
    readonly code: number;
    readonly verdict: Verdict;
}

/** `--exit-verdict code=Verdict`. */
export const EXIT_VERDICT: ValueParser<ExitVerdict> = {
    parse(raw, origin) {
        const match = typeof raw === 'string' ? /^(\d{1,3})=(.+)$/.exec(raw) : null;
        const code = Number(match?.[1]);
        if (match === null || code > 255)
            throw makeValueError(origin, 'code=Verdict, such as 1=WrongAnswer', raw);
        if (code === 0) throw new UserError(`${origin.label}: exit code 0 is always Accepted`);
        const given = match[2] ?? '';
        const verdict = VERDICTS.find((one) => one.toLowerCase() === given.toLowerCase());
        if (verdict === undefined)
            throw makeValueError(origin, `one of the verdicts ${VERDICTS.join(', ')}`, given);
        return { code, verdict };
    },
    format: ({ code, verdict }) => `${code}=${verdict}`,
    shape: 'text',
};

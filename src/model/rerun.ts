import { UserError } from '../util/user-error.js';

export const RERUN_WORDS = [
    'all',
    'failed',
    'tle',
    'over-limit',
    'compile-errors',
    'computed-limits',
    'changed',
] as const;

/**
 * One `--rerun` request. `changed` selects no entries: it allows changed inputs to replace many finished ones. Any other text is
 * a glob of ids.
 */
export type RerunRequest = (typeof RERUN_WORDS)[number] | { readonly glob: string };

/** The accepted forms, for messages. */
export const RERUN_FORMS = `${RERUN_WORDS.join(', ')} or a glob of ids`;

/** @param label where the text comes from, for messages. @throws UserError for an empty text */
export function parseRerun(text: string, label: string): RerunRequest {
    if (text === '') throw new UserError(`${label}: expected ${RERUN_FORMS}`);
    return RERUN_WORDS.find((word) => word === text) ?? { glob: text };
}

/** The text that `parseRerun` reads. */
export const formatRerun = (request: RerunRequest): string =>
    typeof request === 'string' ? request : request.glob;
